"""Relocations: their numbers, and how each writes a value into the bytes it points at.

Source: RISC-V ELF psABI, 8.4 Relocations. S is the symbol's value, A the addend, P the place.
"""

from __future__ import annotations

from collections.abc import Callable

Apply = Callable[[bytearray, int, int], None]

NAMES: dict[int, str] = {
    0: "NONE", 1: "32", 2: "64", 3: "RELATIVE", 4: "COPY", 5: "JUMP_SLOT",
    6: "TLS_DTPMOD32", 7: "TLS_DTPMOD64", 8: "TLS_DTPREL32", 9: "TLS_DTPREL64", 10: "TLS_TPREL32", 11: "TLS_TPREL64",
    16: "BRANCH", 17: "JAL", 18: "CALL", 19: "CALL_PLT", 20: "GOT_HI20", 21: "TLS_GOT_HI20", 22: "TLS_GD_HI20",
    23: "PCREL_HI20", 24: "PCREL_LO12_I", 25: "PCREL_LO12_S", 26: "HI20", 27: "LO12_I", 28: "LO12_S",
    29: "TPREL_HI20", 30: "TPREL_LO12_I", 31: "TPREL_LO12_S", 32: "TPREL_ADD",
    33: "ADD8", 34: "ADD16", 35: "ADD32", 36: "ADD64", 37: "SUB8", 38: "SUB16", 39: "SUB32", 40: "SUB64",
    43: "ALIGN", 44: "RVC_BRANCH", 45: "RVC_JUMP", 46: "RVC_LUI", 51: "RELAX", 52: "SUB6", 53: "SET6",
    54: "SET8", 55: "SET16", 56: "SET32", 57: "32_PCREL", 58: "IRELATIVE", 59: "PLT32",
    60: "SET_ULEB128", 61: "SUB_ULEB128",
}  # fmt: skip
NUMBERS: dict[str, int] = {name: number for number, name in NAMES.items()}

RELAX, ALIGN = NUMBERS["RELAX"], NUMBERS["ALIGN"]


class OutOfRange(ValueError):
    """The value does not fit into the field: it must be from low to high, in multiples of `multiple`."""

    def __init__(self, value: int, low: int, high: int, multiple: int = 1) -> None:
        super().__init__(f"{value} is not from {low} to {high}")
        self.value, self.low, self.high, self.multiple = value, low, high, multiple


def patch_word(data: bytearray, at: int, mask: int, bits: int) -> None:
    """Sets the bits of `mask` in the 32-bit word at `at`."""
    word = int.from_bytes(data[at : at + 4], "little")
    data[at : at + 4] = (word & ~mask | bits & mask).to_bytes(4, "little")


def branch_bits(value: int) -> int:
    """A B-type immediate: imm[12|10:5] at 31:25, imm[4:1|11] at 11:7."""
    return (value >> 12 & 1) << 31 | (value >> 5 & 63) << 25 | (value >> 1 & 15) << 8 | (value >> 11 & 1) << 7


def jump_bits(value: int) -> int:
    """A J-type immediate: imm[20|10:1|11|19:12] at 31:12."""
    return (value >> 20 & 1) << 31 | (value >> 1 & 0x3FF) << 21 | (value >> 11 & 1) << 20 | (value >> 12 & 0xFF) << 12


def high_bits(value: int) -> int:
    """A U-type immediate: the upper part, rounded so that the signed lower 12 bits can be added."""
    return value + 0x800 & 0xFFFFF000


def low_bits(value: int) -> int:
    """The lower 12 bits as an I-type immediate."""
    return (value & 0xFFF) << 20


def store_bits(value: int) -> int:
    """The lower 12 bits as an S-type immediate."""
    return (value >> 5 & 127) << 25 | (value & 31) << 7


def cut_high_bits(value: int) -> int:
    """A U-type immediate: the upper part, not rounded."""
    return value & 0xFFFFF000


BRANCH_MASK, JUMP_MASK, HIGH_MASK = 0xFE000F80, 0xFFFFF000, 0xFFFFF000
LOW_MASK, STORE_MASK = 0xFFF00000, 0xFE000F80

#: The fields in which an object shows the addend, as GNU as does it (it does not round %tprel_hi's).
_SHOWN: dict[str, tuple[int, Callable[[int], int]]] = {
    "HI20": (HIGH_MASK, high_bits),
    "TPREL_HI20": (HIGH_MASK, cut_high_bits),
    "LO12_I": (LOW_MASK, low_bits),
    "LO12_S": (STORE_MASK, store_bits),
}

#: Of a plain number these say all in the field: no relocation is needed.
NUMBER_IS_ENOUGH = ("HI20", "LO12_I", "LO12_S")


def show_addend(kind: str, data: bytearray, at: int, addend: int) -> None:
    """Writes the addend into the instruction where disassemblies of objects are to show it: linkers don't read it."""
    if kind in _SHOWN:
        mask, bits = _SHOWN[kind]
        patch_word(data, at, mask, bits(addend))


def _check(value: int, low: int, high: int, multiple: int = 1) -> None:
    if not low <= value <= high or value % multiple:
        raise OutOfRange(value, low, high, multiple)


def apply(kind: str, data: bytearray, at: int, value: int) -> None:
    """Writes `value` (S + A, or S + A - P where the kind says so) at data[at:]. Raises OutOfRange, KeyError."""
    _APPLY[kind](data, at, value)


def _branch(data: bytearray, at: int, value: int) -> None:
    _check(value, -4096, 4094, 2)
    patch_word(data, at, BRANCH_MASK, branch_bits(value))


def _jump(data: bytearray, at: int, value: int) -> None:
    _check(value, -(1 << 20), (1 << 20) - 2, 2)
    patch_word(data, at, JUMP_MASK, jump_bits(value))


def _high(data: bytearray, at: int, value: int) -> None:
    _check(value, -(1 << 31) - 0x800, (1 << 31) - 0x801)
    patch_word(data, at, HIGH_MASK, high_bits(value))


def _low(data: bytearray, at: int, value: int) -> None:
    patch_word(data, at, LOW_MASK, low_bits(value))


def _store(data: bytearray, at: int, value: int) -> None:
    patch_word(data, at, STORE_MASK, store_bits(value))


def _call(data: bytearray, at: int, value: int) -> None:
    _high(data, at, value)
    _low(data, at + 4, value)


def _rvc_branch(data: bytearray, at: int, value: int) -> None:
    """CB format: offset[8|4:3] at 12:10, offset[7:6|2:1|5] at 6:2 (objects of other assemblers)."""
    _check(value, -256, 254, 2)
    bits = (value >> 8 & 1) << 12 | (value >> 3 & 3) << 10 | (value >> 6 & 3) << 5 | (value >> 1 & 3) << 3
    _set(data, at, 2, _get(data, at, 2) & ~0x1C7C | bits | (value >> 5 & 1) << 2)


def _rvc_jump(data: bytearray, at: int, value: int) -> None:
    """CJ format: offset[11|4|9:8|10|6|7|3:1|5] at 12:2."""
    _check(value, -2048, 2046, 2)
    bits = (value >> 11 & 1) << 12 | (value >> 4 & 1) << 11 | (value >> 8 & 3) << 9 | (value >> 10 & 1) << 8
    bits |= (value >> 6 & 1) << 7 | (value >> 7 & 1) << 6 | (value >> 1 & 7) << 3 | (value >> 5 & 1) << 2
    _set(data, at, 2, _get(data, at, 2) & ~0x1FFC | bits)


def _get(data: bytearray, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _set(data: bytearray, at: int, size: int, value: int) -> None:
    data[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")


def apply_number(data: bytes | bytearray, at: int, size: int, value: int) -> None:
    """Writes a number of `size` bytes, cut to that size."""
    assert isinstance(data, bytearray)
    _set(data, at, size, value)


def _add(size: int, sign: int) -> Apply:
    return lambda data, at, value: _set(data, at, size, _get(data, at, size) + sign * value)


def _put(size: int) -> Apply:
    return lambda data, at, value: _set(data, at, size, value)


def _word(data: bytearray, at: int, value: int) -> None:
    _check(value, -(1 << 31), (1 << 32) - 1)
    _set(data, at, 4, value)


def _word_relative(data: bytearray, at: int, value: int) -> None:
    _check(value, -(1 << 31), (1 << 31) - 1)
    _set(data, at, 4, value)


def _six(sign: int) -> Apply:
    """The low 6 bits of a byte (call frame information): set, or subtract from."""

    def change(data: bytearray, at: int, value: int) -> None:
        old = data[at]
        data[at] = old & 0xC0 | (old - value if sign < 0 else value) & 0x3F

    return change


def _uleb(sign: int) -> Apply:
    """Rewrites a ULEB128 in place, in the length it has."""

    def change(data: bytearray, at: int, value: int) -> None:
        end = at
        while data[end] & 0x80:
            end += 1
        old = sum((data[n] & 0x7F) << 7 * (n - at) for n in range(at, end + 1))
        new = (old - value if sign < 0 else value) & (1 << 64) - 1
        for n in range(at, end + 1):
            data[n] = new & 0x7F | (0x80 if n < end else 0)
            new >>= 7

    return change


_APPLY: dict[str, Apply] = {
    "BRANCH": _branch, "JAL": _jump, "CALL": _call, "CALL_PLT": _call,
    "HI20": _high, "PCREL_HI20": _high, "TPREL_HI20": _high,
    "GOT_HI20": _high, "TLS_GOT_HI20": _high, "TLS_GD_HI20": _high,
    "LO12_I": _low, "PCREL_LO12_I": _low, "TPREL_LO12_I": _low,
    "LO12_S": _store, "PCREL_LO12_S": _store, "TPREL_LO12_S": _store,
    "RVC_BRANCH": _rvc_branch, "RVC_JUMP": _rvc_jump,
    "32": _word, "64": _put(8), "32_PCREL": _word_relative, "PLT32": _word_relative,
    "ADD8": _add(1, 1), "ADD16": _add(2, 1), "ADD32": _add(4, 1), "ADD64": _add(8, 1),
    "SUB8": _add(1, -1), "SUB16": _add(2, -1), "SUB32": _add(4, -1), "SUB64": _add(8, -1),
    "SET6": _six(1), "SUB6": _six(-1), "SET8": _put(1), "SET16": _put(2), "SET32": _put(4),
    "SET_ULEB128": _uleb(1), "SUB_ULEB128": _uleb(-1),
}  # fmt: skip

#: Relocations whose value is relative to the place.
RELATIVE = frozenset(
    (
        "BRANCH",
        "JAL",
        "CALL",
        "CALL_PLT",
        "PCREL_HI20",
        "GOT_HI20",
        "TLS_GOT_HI20",
        "TLS_GD_HI20",
        "RVC_BRANCH",
        "RVC_JUMP",
    )
    + ("32_PCREL", "PLT32")
)
