"""What a definition must hold beyond what its single steps can tell: each refusal says what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vm.isa.expr import DefinitionError, Effect, Jump, Let, Raise, Reserve, SetX, Store, Value, WriteCsr

if TYPE_CHECKING:
    from vm.isa.spec import Field, Insn

REGISTERS = ("rd", "rs1", "rs2")
_WIDTHS = (8, 16, 32, 64)
_ACCESSES = {"load": ("load", "lr", "amo"), "store": ("store", "amo")}
_SHIFTS = ("shl", "shr", "sar")


def check_name(insn: Insn) -> None:
    """A mnemonic as assemblers write it, a docstring, and the section of the manual."""
    if not insn.name.replace(".", "").isalnum() or insn.name != insn.name.lower():
        raise DefinitionError(f"{insn.name!r} is no mnemonic: write lower-case letters, digits and dots")
    if not insn.doc:
        raise DefinitionError(f"{insn.name}: the definition needs a docstring that says what it does")
    if not insn.source:
        raise DefinitionError(f"{insn.name}: say which section of the manual defines it, like 'Unprivileged 2.4.2'")


def check_encoding(insn: Insn) -> None:
    """The opcode is constant, and each bit of each field's value is encoded once."""
    opcode = 0x7F if insn.length == 4 else 3
    if insn.mask & opcode != opcode or (insn.match & 3 == 3) != (insn.length == 4):
        raise DefinitionError(
            f"{insn.name}: the last token must be the opcode, all constant; in instructions of 32 bits, and only "
            "there, it ends in 11"
        )
    for name, field in insn.fields.items():
        bits = sorted(bit for part in field.slices for bit in range(part.value_low, part.value_low + part.width))
        for bit in range(field.low, field.bits):
            if bits.count(bit) != 1:
                raise DefinitionError(f"{insn.name}: bit {bit} of {name} is encoded {bits.count(bit)} times, not once")


def check_meaning(effects: tuple[Effect, ...], fields: dict[str, Field]) -> None:
    """Accesses of real sizes, shifts that stay in range, one jump, and no fault after a change."""
    if sum(isinstance(effect, Jump) for effect in effects) > 1:
        raise DefinitionError("two jumps: write one, to s.select(condition, target, otherwise)")
    changed = False
    for effect in effects:
        if changed and _may_fault(effect):
            raise DefinitionError("it may fault after it has changed something: load, store and trap before set_x")
        changed = changed or isinstance(effect, (Store, SetX, Reserve))
        _check_access(effect)
        for part in effect:
            if isinstance(part, Value):
                _check_shifts(part, fields)


def _may_fault(effect: Effect) -> bool:
    return isinstance(effect, (Store, WriteCsr, Raise)) or (
        isinstance(effect, Let) and effect.value.op in ("load", "csr")
    )


def _check_access(effect: Effect) -> None:
    if isinstance(effect, Let) and effect.value.op == "load":
        address, width, access, kind = effect.value.args[0], effect.value.width, effect.value.attr, "load"
    elif isinstance(effect, Store):
        address, width, access, kind = effect.address, effect.value.width, effect.access, "store"
    else:
        return
    if width not in _WIDTHS:
        raise DefinitionError(f"{kind} of {width} bits: memory is accessed by 8, 16, 32 or 64; trunc the value")
    if address.width != 64:
        raise DefinitionError(f"{kind}: {address!r} is {address.width} bits; an address has 64: use zext or sext")
    if access not in _ACCESSES[kind]:
        raise DefinitionError(f"{kind}: access {access!r} is none of {', '.join(_ACCESSES[kind])}")


def _check_shifts(value: Value, fields: dict[str, Field]) -> None:
    if value.op in _SHIFTS:
        most = _greatest(value.args[1], fields)
        if most >= value.width:
            raise DefinitionError(
                f"{value.op} of {value.width} bits by up to {most}: keep the amount below the width, "
                f"like s.x('rs2') & {value.width - 1}"
            )
    for arg in value.args:
        _check_shifts(arg, fields)


def _greatest(value: Value, fields: dict[str, Field]) -> int:
    """An upper bound of a value, as an unsigned number."""
    most = (1 << value.width) - 1
    if value.op == "const":
        return int(value.attr or 0)
    if value.op == "field" and not fields[str(value.attr)].signed:
        return (1 << fields[str(value.attr)].bits) - 1
    if value.op == "and":
        return min(_greatest(arg, fields) for arg in value.args)
    if value.op in ("trunc", "zext"):
        return min(most, _greatest(value.args[0], fields))
    return most
