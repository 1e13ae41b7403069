"""Pseudo-instructions: what they are written as, and the instructions they stand for.

Source: RISC-V Assembly Programmer's Manual, "A listing of standard RISC-V pseudoinstructions"; GNU as 2.40 where it
knows more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from asm.operands import fits
from asm.parse import Node
from asm.symbols import Value
from vm.isa import TABLE
from vm.isa.registers import X_NUMBERS

if TYPE_CHECKING:
    from asm.instructions import Code

# How each is written → what it stands for. Operands that begin with r are registers, off(rs) is an address.
_TEXT = """
nop                     addi x0, x0, 0
mv rd, rs               addi rd, rs, 0
move rd, rs             addi rd, rs, 0
not rd, rs              xori rd, rs, -1
neg rd, rs              sub rd, x0, rs
negw rd, rs             subw rd, x0, rs
sext.b rd, rs           slli rd, rs, 56; srai rd, rd, 56
sext.h rd, rs           slli rd, rs, 48; srai rd, rd, 48
sext.w rd, rs           addiw rd, rs, 0
zext.b rd, rs           andi rd, rs, 255
zext.h rd, rs           slli rd, rs, 48; srli rd, rd, 48
zext.w rd, rs           slli rd, rs, 32; srli rd, rd, 32
seqz rd, rs             sltiu rd, rs, 1
snez rd, rs             sltu rd, x0, rs
sltz rd, rs             slt rd, rs, x0
sgtz rd, rs             slt rd, x0, rs
sgt rd, rs, rt          slt rd, rt, rs
sgtu rd, rs, rt         sltu rd, rt, rs
beqz rs, offset         beq rs, x0, offset
bnez rs, offset         bne rs, x0, offset
blez rs, offset         bge x0, rs, offset
bgez rs, offset         bge rs, x0, offset
bltz rs, offset         blt rs, x0, offset
bgtz rs, offset         blt x0, rs, offset
bgt rs, rt, offset      blt rt, rs, offset
ble rs, rt, offset      bge rt, rs, offset
bgtu rs, rt, offset     bltu rt, rs, offset
bleu rs, rt, offset     bgeu rt, rs, offset
j offset                jal x0, offset
jal offset              jal x1, offset
jr rs                   jalr x0, 0(rs)
jr off(rs)              jalr x0, off(rs)
jr rs, imm              jalr x0, imm(rs)
jalr rs                 jalr x1, 0(rs)
jalr off(rs)            jalr x1, off(rs)
jalr rd, rs             jalr rd, 0(rs)
jalr rd, rs, imm        jalr rd, imm(rs)
ret                     jalr x0, 0(x1)
fence                   fence 15, 15
unimp                   csrrw x0, 0xc00, x0
scall                   ecall
sbreak                  ebreak
rdcycle rd              csrrs rd, 0xc00, x0
rdtime rd               csrrs rd, 0xc01, x0
rdinstret rd            csrrs rd, 0xc02, x0
csrr rd, csr            csrrs rd, csr, x0
csrw csr, rs            csrrw x0, csr, rs
csrs csr, rs            csrrs x0, csr, rs
csrc csr, rs            csrrc x0, csr, rs
csrwi csr, imm          csrrwi x0, csr, imm
csrsi csr, imm          csrrsi x0, csr, imm
csrci csr, imm          csrrci x0, csr, imm
csrw csr, imm           csrrwi x0, csr, imm
csrs csr, imm           csrrsi x0, csr, imm
csrc csr, imm           csrrci x0, csr, imm
csrrw rd, csr, imm      csrrwi rd, csr, imm
csrrs rd, csr, imm      csrrsi rd, csr, imm
csrrc rd, csr, imm      csrrci rd, csr, imm
add rd, rs, imm         addi rd, rs, imm
addw rd, rs, imm        addiw rd, rs, imm
and rd, rs, imm         andi rd, rs, imm
or rd, rs, imm          ori rd, rs, imm
xor rd, rs, imm         xori rd, rs, imm
slt rd, rs, imm         slti rd, rs, imm
sltu rd, rs, imm        sltiu rd, rs, imm
sll rd, rs, imm         slli rd, rs, imm
srl rd, rs, imm         srli rd, rs, imm
sra rd, rs, imm         srai rd, rs, imm
sllw rd, rs, imm        slliw rd, rs, imm
srlw rd, rs, imm        srliw rd, rs, imm
sraw rd, rs, imm        sraiw rd, rs, imm
"""

#: The operands of a form by their names: what the expansion gets.
Bound = dict[str, Node]
Expand = Callable[["Code", Bound], None]


class Form:
    """One way to write a pseudo-instruction: its operands' names, and what it expands to."""

    def __init__(self, operands: list[str], expand: Expand) -> None:
        self.operands = operands
        self.kinds = [_kind(name) for name in operands]
        self.expand = expand

    def accepts(self, operands: list[Node], texts: list[str]) -> bool:
        """Whether these operands have this form."""
        return len(operands) == len(self.kinds) and all(
            fits(kind, operand, texts) for kind, operand in zip(self.kinds, operands, strict=True)
        )

    def bind(self, operands: list[Node]) -> Bound:
        """The operands by their names."""
        return dict(zip(self.operands, operands, strict=True))


def _kind(name: str) -> str:
    if name.endswith(")") and not name.startswith("%"):
        return "memory"
    return "reg" if name.startswith("r") else "imm"


_forms: dict[str, list[Form]] = {}


def forms() -> dict[str, list[Form]]:
    """All forms, by mnemonic; made on first use."""
    if not _forms:
        for line in _TEXT.strip().splitlines():
            signature, expansion = line[:24], line[24:]
            name, _, operands = signature.strip().partition(" ")
            _add(name, operands, _template(expansion))
        _special_forms()
    return _forms


def _add(name: str, operands: str, expand: Expand) -> None:
    _forms.setdefault(name, []).append(Form([o.strip() for o in operands.split(",") if o.strip()], expand))


def choose(mnemonic: str, operands: list[Node], texts: list[str]) -> Form | None:
    """The form that these operands have, or None."""
    for form in forms().get(mnemonic, ()):
        if form.accepts(operands, texts):
            return form
    return None


def signatures(mnemonic: str) -> list[str]:
    """How the operands of a pseudo-instruction can be written."""
    return [", ".join(form.operands) for form in forms().get(mnemonic, ())]


def names() -> list[str]:
    """All mnemonics of pseudo-instructions."""
    return list(forms())


def _template(expansion: str) -> Expand:
    """An expansion written as instructions with the operands' names in them."""
    lines = []
    for line in expansion.split(";"):
        name, _, operands = line.strip().partition(" ")
        lines.append((name, [operand.strip() for operand in operands.split(",") if operand.strip()]))

    def expand(code: Code, bound: Bound) -> None:
        for name, operands in lines:
            code.instruction(name, [_operand(text, bound) for text in operands])

    return expand


def _operand(text: str, bound: Bound) -> Node:
    """One operand of a template: a name of the form's, a register, a number, or imm(rs) of these."""
    if text in bound:
        return bound[text]
    if text.endswith(")"):
        offset, _, base = text[:-1].partition("(")
        return ("memory", _operand(offset, bound)[1], _operand(base, bound)[1])
    if text in X_NUMBERS:
        return ("value", ("reg", X_NUMBERS[text]))
    return ("value", ("int", int(text, 0)))


def _special_forms() -> None:
    """The pseudo-instructions whose expansion depends on a value or needs a pair of relocations."""
    _add("li", "rd, imm", _li)
    _add("la", "rd, symbol", _la)
    _add("lla", "rd, symbol", _lla)
    _add("lga", "rd, symbol", _lga)
    _add("la.tls.ie", "rd, symbol", lambda code, bound: _got(code, bound, "TLS_GOT_HI20"))
    _add("la.tls.gd", "rd, symbol", lambda code, bound: _address(code, bound, "TLS_GD_HI20"))
    _add("call", "symbol", lambda code, bound: _call(code, bound["symbol"], 1, 1))
    _add("call", "rd, symbol", lambda code, bound: _call(code, bound["symbol"], 6, _reg(code, bound["rd"])))
    _add("tail", "symbol", lambda code, bound: _call(code, bound["symbol"], 6, 0))
    _add("jump", "symbol, rt", lambda code, bound: _call(code, bound["symbol"], _reg(code, bound["rt"]), 0))
    _add("add", "rd, rs, rt, %tprel_add(symbol)", _tprel_add)
    for name in ("lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"):
        _add(name, "rd, symbol", _load(name))
    for name in ("sb", "sh", "sw", "sd"):
        _add(name, "rs, symbol, rt", _store(name))


def _reg(code: Code, operand: Node) -> int:
    from asm.operands import register

    number = register(operand, code.parsed.texts)
    assert number is not None
    return number


def _li(code: Code, bound: Bound) -> None:
    rd, value = _reg(code, bound["rd"]), code.constant(bound["imm"])
    if not -(1 << 63) <= value < 1 << 64:
        raise code.error(f"{value} does not fit into 64 bits", bound["imm"])
    if -2048 <= value < 2048:
        code.word("addi", rd=rd, imm=value)
    else:
        load_constant(code, rd, value)


def load_constant(code: Code, rd: int, value: int) -> None:
    """Any 64-bit number, as GNU as loads it: the upper part first, shifted as far as it goes, then 12 bits at a
    time.
    """
    low = ((value & 0xFFF) ^ 0x800) - 0x800
    high = value - low
    if not -(1 << 31) <= value < 1 << 31:
        high = ((high & (1 << 64) - 1) ^ 1 << 63) - (1 << 63)
        shift = max(12, (high & -high).bit_length() - 1)
        load_constant(code, rd, high >> shift)
        code.word("slli", rd=rd, rs1=rd, shamt=shift)
        if low:
            code.word("addi", rd=rd, rs1=rd, imm=low)
        return
    base = 0
    if high:
        code.word("lui", rd=rd, imm=((high & 0xFFFFFFFF) ^ 1 << 31) - (1 << 31))
        base = rd
    if low or not base:
        code.word("addiw", rd=rd, rs1=base, imm=low)


def _la(code: Code, bound: Bound) -> None:
    """la: the address relative to pc, or out of the global offset table under `.option pic`. A number is loaded as
    by li.
    """
    if code.asm.options.pic and type(code.value(bound["symbol"])) is not int:
        _got(code, bound, "GOT_HI20")
    else:
        _lla(code, bound)


def _lla(code: Code, bound: Bound) -> None:
    value = code.value(bound["symbol"])
    if type(value) is int:
        load_constant(code, _reg(code, bound["rd"]), value)
    else:
        _address(code, bound, "PCREL_HI20")


def _lga(code: Code, bound: Bound) -> None:
    _got(code, bound, "GOT_HI20")


def _address(code: Code, bound: Bound, kind: str) -> None:
    rd = _reg(code, bound["rd"])
    _pair(code, kind, code.value(bound["symbol"]), rd, "PCREL_LO12_I", "addi", rd=rd, rs1=rd)


def _got(code: Code, bound: Bound, kind: str) -> None:
    rd = _reg(code, bound["rd"])
    _pair(code, kind, code.value(bound["symbol"]), rd, "PCREL_LO12_I", "ld", rd=rd, rs1=rd)


def _place(code: Code, bound: Bound) -> Value:
    """The label that a load or store without a register names."""
    value = code.value(bound["symbol"])
    if type(value) is int:
        raise code.error("expected a label, or an address such as `8(sp)`", bound["symbol"])
    return value


def _load(name: str) -> Expand:
    def expand(code: Code, bound: Bound) -> None:
        rd = _reg(code, bound["rd"])
        _pair(code, "PCREL_HI20", _place(code, bound), rd, "PCREL_LO12_I", name, rd=rd, rs1=rd)

    return expand


def _store(name: str) -> Expand:
    def expand(code: Code, bound: Bound) -> None:
        rs, rt = _reg(code, bound["rs"]), _reg(code, bound["rt"])
        _pair(code, "PCREL_HI20", _place(code, bound), rt, "PCREL_LO12_S", name, rs2=rs, rs1=rt)

    return expand


def _pair(code: Code, high: str, value: Value, temporary: int, low: str, name: str, **fields: int) -> None:
    """auipc and an instruction that adds the low 12 bits: the second relocation names the first one's place."""
    asm = code.asm
    here = asm.temporary()
    asm.fix(high, value, relax=high == "PCREL_HI20")
    code.word("auipc", rd=temporary)
    asm.fix(low, here, relax=True)
    asm.emit(TABLE[name].encode(**fields).to_bytes(4, "little"))


def _call(code: Code, symbol: Node, temporary: int, link: int) -> None:
    """auipc temporary; jalr link, (temporary): one relocation for both. x1 is ra, x6 is t1."""
    code.asm.fix("CALL_PLT", code.value(symbol), relax=True)
    code.word("auipc", rd=temporary)
    code.word("jalr", rd=link, rs1=temporary)


def _tprel_add(code: Code, bound: Bound) -> None:
    """add with %tprel_add(symbol), which only tells the linker that the three instructions belong together."""
    from asm.symbols import Op

    value = code.value(bound["%tprel_add(symbol)"])
    if not isinstance(value, Op) or value.left != "%tprel_add":
        raise code.error("expected `%tprel_add(symbol)`", bound["%tprel_add(symbol)"])
    assert not isinstance(value.right, str)
    code.asm.fix("TPREL_ADD", value.right, relax=True)
    code.word("add", rd=_reg(code, bound["rd"]), rs1=_reg(code, bound["rs"]), rs2=_reg(code, bound["rt"]))
