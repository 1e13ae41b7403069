"""Encoder and decoder are inverse, and no word is two instructions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm.isa import TABLE, EncodeError, Insn, decode, lookup

ALL = list(TABLE.values())
#: Words of which each opcode, funct3 and funct7 is as likely as any other, and words near real instructions.
_any = st.integers(0, (1 << 32) - 1)
words = st.one_of(
    _any,
    st.builds(lambda insn, noise: insn.match | noise & ~insn.mask, st.sampled_from(ALL), _any),
    st.builds(lambda insn, bit: insn.match ^ 1 << bit, st.sampled_from(ALL), st.integers(0, 31)),
)  # fmt: skip


@st.composite
def encodable(draw: st.DrawFn, insn: Insn) -> dict[str, int]:
    """Values for all fields of an instruction."""
    values = {}
    for name, field in insn.fields.items():
        low, high, multiple = field.bounds()
        values[name] = draw(st.integers(low // multiple, high // multiple)) * multiple
    return values


@given(st.sampled_from(ALL).flatmap(lambda insn: st.tuples(st.just(insn), encodable(insn))))
def test_what_is_encoded_is_decoded_as_it_was(both: tuple[Insn, dict[str, int]]) -> None:
    insn, values = both
    found = decode(insn.encode(**values))
    assert found is not None
    special = found[0].name == "fence.tso" and insn.name == "fence"
    assert special or found == (insn, values)


@given(words)
def test_what_is_decoded_is_encoded_as_it_was(word: int) -> None:
    found = decode(word)
    if found is not None:
        assert found[0].encode(**found[1]) == word


@given(words)
def test_a_word_is_one_instruction_at_most(word: int) -> None:
    names = [insn.name for insn in ALL if word & insn.mask == insn.match]
    assert len(names) <= 1 or set(names) == {"fence", "fence.tso"}
    assert (decode(word) is None) == (not names)


@pytest.mark.parametrize("insn", ALL, ids=lambda insn: insn.name)
def test_each_bit_of_an_instruction_is_constant_or_one_bit_of_a_field(insn: Insn) -> None:
    bits = insn.mask
    for name, field in insn.fields.items():
        of_field = 0
        for part in field.slices:
            of_field |= (1 << part.width) - 1 << part.insn_low
        assert bits & of_field == 0, name
        bits |= of_field
    assert bits == (1 << 8 * insn.length) - 1
    assert insn.match & ~insn.mask == 0


@pytest.mark.parametrize("insn", ALL, ids=lambda insn: insn.name)
def test_values_without_room_are_refused_with_the_bounds(insn: Insn) -> None:
    for name, field in insn.fields.items():
        low, high, multiple = field.bounds()
        for fine in (low, high):
            assert insn.decode(insn.encode(**{name: fine}))[name] == fine
        for value in {low - multiple, high + multiple, *([low + 1] if multiple > 1 else [])}:
            with pytest.raises(EncodeError) as refused:
                insn.encode(**{name: value})
            error = refused.value
            assert (error.field, error.value, error.low, error.high, error.multiple) == (
                name,
                value,
                low,
                high,
                multiple,
            )
            assert f"{name} is {value}, but must be {low} to {high}" in str(error)


@pytest.mark.parametrize(
    ("word", "name", "fields"),
    [  # from GNU as
        (0x00A28293, "addi", {"rd": 5, "rs1": 5, "imm": 10}),
        (0xFFF28293, "addi", {"rd": 5, "rs1": 5, "imm": -1}),
        (0xFE0298E3, "bne", {"rs1": 5, "rs2": 0, "imm": -16}),
        (0x0000056F, "jal", {"rd": 10, "imm": 0}),
        (0x801FF06F, "jal", {"rd": 0, "imm": -2048}),
        (0xFEB53C23, "sd", {"rs1": 10, "rs2": 11, "imm": -8}),
        (0x123452B7, "lui", {"rd": 5, "imm": 0x12345000}),
        (0x800002B7, "lui", {"rd": 5, "imm": -0x80000000}),
        (0x43F55513, "srai", {"rd": 10, "rs1": 10, "shamt": 63}),
        (0x0E75252F, "amoswap.w", {"rd": 10, "rs1": 10, "rs2": 7, "aq": 1, "rl": 1}),
        (0xC0002573, "csrrs", {"rd": 10, "rs1": 0, "csr": 0xC00}),
        (0x0FF0000F, "fence", {"fm": 0, "pred": 15, "succ": 15, "rs1": 0, "rd": 0}),
        (0x8330000F, "fence.tso", {}),
        (0x0000100F, "fence.i", {"imm": 0, "rs1": 0, "rd": 0}),
    ],
)
def test_words_that_gnu_as_makes(word: int, name: str, fields: dict[str, int]) -> None:
    found = decode(word)
    assert found is not None
    assert (found[0].name, found[1]) == (name, fields)


@pytest.mark.parametrize(
    "word", [0, 0xFFFF_FFFF, 0x0000_0001, 0x1020_0073, 0x3020_0073, 0x1050_0073, 0x1200_0073, 0x0200_105B]
)
def test_words_that_are_no_instructions_here(word: int) -> None:
    """Zeros and ones, a compressed one, sret, mret, wfi, sfence.vma, and slliw with a sixth bit of shamt."""
    assert decode(word) is None


def test_suffixes_of_atomics_are_looked_up() -> None:
    for mnemonic, expected in (
        ("amoadd.w.aqrl", ("amoadd.w", {"aq": 1, "rl": 1})),
        ("lr.d.aq", ("lr.d", {"aq": 1, "rl": 0})),
        ("sc.w.rl", ("sc.w", {"aq": 0, "rl": 1})),
        ("amoadd.w", ("amoadd.w", {"aq": 0, "rl": 0})),
        ("add", ("add", {})),
    ):
        found = lookup(mnemonic)
        assert found is not None and (found[0].name, found[1]) == expected
    for wrong in ("add.aq", "amoadd", "amoadd.w.aq.rl", "amoadd.w.rlaq", "", ".aq", "addd"):
        assert lookup(wrong) is None
