"""A wrong definition is refused when it is made, with a message that says what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from vm.isa import TABLE, spec
from vm.isa.expr import DefinitionError, Value
from vm.isa.spec import Trace, insn

REGISTERS = "0000001 rs2 rs1 000 rd 1111011"
IMMEDIATE = "imm[11:0] rs1 000 rd 1111011"
STORE = "imm[11:5] rs2 rs1 000 imm[4:0] 1111011"


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Whatever a test defines is gone after it."""
    table, by_opcode = dict(TABLE), {opcode: list(found) for opcode, found in spec._BY_OPCODE.items()}
    yield
    TABLE.clear()
    TABLE.update(table)
    spec._BY_OPCODE.clear()
    spec._BY_OPCODE.update(by_opcode)


def define(
    body: Callable[[Trace], object],
    pattern: str = REGISTERS,
    syntax: str = "rd, rs1, rs2",
    name: str = "new",
    doc: str = "It does something.",
    source: str = "Unprivileged 1.1",
) -> None:
    """Make a definition with this body."""

    def new(s: Trace) -> object:
        return body(s)

    new.__doc__ = doc
    insn(name, pattern, syntax, source)(new)


def rd(value: Callable[[Trace], Value]) -> Callable[[Trace], None]:
    """A body that writes a value to rd."""
    return lambda s: s.set_x("rd", value(s))


def nothing(s: Trace) -> None:
    """A body without effects."""


def read_after_write(s: Trace) -> None:
    s.set_x("rd", s.x("rs1"))
    s.store(s.x("rs2"), s.x("rs1"))


def fault_after_write(s: Trace) -> None:
    loaded = s.load(s.x("rs1"), 64)
    s.set_x("rd", loaded)
    s.store(loaded, loaded)


def fault_after_store(s: Trace) -> None:
    s.store(s.x("rs1"), s.x("rs2"))
    s.set_x("rd", s.load(s.x("rs2"), 64))


def two_jumps(s: Trace) -> None:
    s.jump(s.x("rs1"))
    s.jump(s.x("rs2"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (rd(lambda s: s.x("rs1").trunc(32)), "is 32 bits, but 64 are needed: use zext or sext"),
        (rd(lambda s: s.x("rs1") + s.x("rs2").trunc(32)), "64-bit and 32-bit operands; say which one to"),
        (rd(lambda s: s.x("rs1").zext(32)), "zext to 32 bits of a 64-bit value goes the wrong way"),
        (rd(lambda s: s.x("rs1") if s.x("rs1") == 0 else s.x("rs2")), "write s.branch(condition, target) or s.select("),
        (rd(lambda s: s.x("rs1") and s.x("rs2")), "write s.branch(condition, target) or s.select("),
        (rd(lambda s: (s.x("rs1") < s.x("rs2")).zext(64)), "signed or unsigned? write a.slt(b) or a.ult(b)"),
        (rd(lambda s: (s.x("rs1") >= 3).zext(64)), "signed or unsigned? write a.slt(b) or a.ult(b)"),
        (rd(lambda s: s.x("rs1") << 3), "write a.shl(amount)"),
        (rd(lambda s: s.x("rs1") >> 3), "write a.shr(amount) or a.sar(amount)"),
        (rd(lambda s: s.x("rs1") // s.x("rs2")), "write a.divs(b) or a.divu(b)"),
        (rd(lambda s: s.x("rs1") % s.x("rs2")), "write a.rems(b) or a.remu(b)"),
        (rd(lambda s: -s.x("rs1")), "write const(0, width) - a"),
        (rd(lambda s: 1 + s.x("rs1")), "write the value first and the number second"),
        (rd(lambda s: s.x("rs1") + 1.5), "1.5 is neither a value nor an int"),
        (rd(lambda s: 5), "5 is no value: write const(5, 64)"),
        (rd(lambda s: s.x("rs1").shl(s.x("rs2"))), "keep the amount below the width, like s.x('rs2') & 63"),
        (rd(lambda s: s.x("rs1").trunc(32).sar(s.x("rs2") & 63).sext(64)), "keep the amount below the width"),
        (rd(lambda s: s.x("rs1").shl(64)), "by up to 64"),
        (rd(lambda s: s.x("rs3")), "the pattern has no field 'rs3'; it has rs2, rs1, rd"),
        (rd(lambda s: s.imm("rs1")), "rs1 is a register: write s.x('rs1')"),
        (rd(lambda s: s.csr()), "the pattern has no field 'csr'"),
        (rd(lambda s: s.load(s.x("rs1"), 24).zext(64)), "memory is accessed by 8, 16, 32 or 64"),
        (rd(lambda s: s.load(s.x("rs1").trunc(32), 64)), "an address has 64: use zext or sext"),
        (rd(lambda s: s.load(s.x("rs1"), 64, access="lode")), "access 'lode' is none of load, lr, amo"),
        (rd(lambda s: s.select(s.x("rs1"), s.x("rs1"), s.x("rs2"))), "a condition has 1: compare it with something"),
        (rd(lambda s: s.select(s.x("rs1") == 0, s.x("rs1"), s.x("rs2").trunc(8))), "select: 64-bit and 8-bit values"),
        (lambda s: s.store(s.x("rs1"), s.x("rs2").trunc(24)), "memory is accessed by 8, 16, 32 or 64"),
        (lambda s: s.branch(s.x("rs1"), s.x("rs2")), "a condition has 1: compare it with something"),
        (lambda s: s.x("rs1"), "it returns a value: say what becomes of it, like s.set_x('rd', value)"),
        (read_after_write, "a register is read after one was written: write set_x last"),
        (fault_after_write, "it may fault after it has changed something"),
        (fault_after_store, "it may fault after it has changed something"),
        (two_jumps, "write one, to s.select(condition, target, otherwise)"),
    ],
)  # fmt: skip
def test_a_meaning_that_cannot_be_is_refused(body: Callable[[Trace], object], says: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        define(body)
    assert says in str(refused.value)
    assert str(refused.value).startswith("new: ")
    assert "new" not in TABLE


@pytest.mark.parametrize(
    ("pattern", "syntax", "says"),
    [
        ("0000000 rs2 rs1 000 rd 0110011", "rd, rs1, rs2", "new overlaps add"),
        ("0000000 rs2 rs1 000 rd 0110011", "rd, rs1, rs2", "or say within='add' if new is a special case of it"),
        ("000001 rs2 rs1 000 rd 1111011", "rd, rs1, rs2", "covers 31 bits; an instruction has 16 or 32"),
        ("00000001 rs2 rs1 000 rd 1111011", "rd, rs1, rs2", "covers 33 bits; an instruction has 16 or 32"),
        ("0000001 rs3 rs1 000 rd 1111011", "rd, rs1", "how many bits has 'rs3'? Write rs3[high:low]"),
        ("imm[11:6] 0 rs2 rs1 000 imm[4:0] 1111011", "rs1, rs2, imm", "bit 5 of imm is encoded 0 times, not once"),
        ("imm[11:5] rs2 rs1 000 imm[5:1] 1111011", "rs1, rs2, imm", "bit 5 of imm is encoded 2 times, not once"),
        ("0000001 rd rs1 000 rd 1111011", "rd, rs1", "bit 0 of rd is encoded 2 times, not once"),
        ("imm[0:11] rs1 000 rd 1111011", "rd, rs1, imm", "write imm[high:low], with the higher bit first"),
        ("imm[a:b] rs1 000 rd 1111011", "rd, rs1, imm", "write imm[high:low], with the higher bit first"),
        ("0000001 rs2 rs1 000 rd 11110 rs3[1:0]", "rd, rs1, rs2", "must be the opcode, all constant"),
        ("0000001 rs2 rs1 000 rd 1111000", "rd, rs1, rs2", "in instructions of 32 bits, and only there, it ends in 11"),
        (REGISTERS, "rd, rs9", "operand 'rs9' of the syntax is no field of the pattern"),
        (REGISTERS, "rd, imm", "operand 'imm' of the syntax is no field of the pattern"),
    ],
)  # fmt: skip
def test_an_encoding_that_cannot_be_is_refused(pattern: str, syntax: str, says: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        define(nothing, pattern, syntax)
    assert says in str(refused.value)


def test_a_definition_needs_a_docstring_a_source_and_a_mnemonic_of_its_own() -> None:
    for wrong, says in (
        ({"doc": ""}, "needs a docstring"),
        ({"source": ""}, "say which section of the manual"),
        ({"name": "add"}, "add is defined already, at Unprivileged 2.4.2"),
        ({"name": "New one"}, "write lower-case letters, digits and dots"),
    ):
        with pytest.raises(DefinitionError, match=says):
            define(nothing, **wrong)


def test_registers_and_immediates_are_not_mixed_up() -> None:
    for body, says in (
        (rd(lambda s: s.x("imm")), "imm is no register: write s.imm('imm')"),
        (lambda s: s.set_x("imm", s.x("rs1")), "imm is no register"),
    ):
        with pytest.raises(DefinitionError) as refused:
            define(body, IMMEDIATE, "rd, rs1, imm")
        assert says in str(refused.value)


def test_a_right_definition_is_decoded_encoded_and_shown_from_then_on() -> None:
    define(rd(lambda s: s.x("rs1") + s.x("rs2")))
    word = TABLE["new"].encode(rd=1, rs1=2, rs2=3)
    found = spec.decode(word)
    assert found is not None
    assert (found[0].name, found[1]) == ("new", {"rd": 1, "rs1": 2, "rs2": 3})


def test_a_field_in_two_parts_is_put_together() -> None:
    define(lambda s: s.store(s.x("rs1") + s.imm(), s.x("rs2")), STORE, "rs2, imm(rs1)")
    word = TABLE["new"].encode(imm=-3, rs1=1, rs2=2)
    assert TABLE["new"].decode(word)["imm"] == -3


def test_a_special_case_within_another_encoding_wins() -> None:
    assert spec.decode(TABLE["fence.tso"].encode()) == (TABLE["fence.tso"], {})
    found = spec.decode(TABLE["fence"].encode(fm=8, pred=3, succ=1))
    assert found is not None and found[0].name == "fence"
