"""RV64I, the base integer instructions (Unprivileged, chapters "RV32I" and "RV64I")."""

from __future__ import annotations

from collections.abc import Callable

from vm.isa.cause import Cause
from vm.isa.expr import Value
from vm.isa.spec import Trace, insn

Binary = Callable[[Trace, Value, Value], Value]


@insn("lui", "imm[31:12] rd 0110111", "rd, imm[31:12]", "Unprivileged 2.4.1")
def lui(s: Trace) -> None:
    """rd = imm, whose low 12 bits are 0, sign-extended."""
    s.set_x("rd", s.imm())


@insn("auipc", "imm[31:12] rd 0010111", "rd, imm[31:12]", "Unprivileged 2.4.1")
def auipc(s: Trace) -> None:
    """rd = pc + imm, whose low 12 bits are 0."""
    s.set_x("rd", s.pc + s.imm())


@insn("jal", "imm[20|10:1|11|19:12] rd 1101111", "rd, pc+imm", "Unprivileged 2.5.1")
def jal(s: Trace) -> None:
    """rd = the address after this instruction; go on at pc + imm."""
    s.set_x("rd", s.next_pc)
    s.jump(s.pc + s.imm())


@insn("jalr", "imm[11:0] rs1 000 rd 1100111", "rd, imm(rs1)", "Unprivileged 2.5.1")
def jalr(s: Trace) -> None:
    """rd = the address after this instruction; go on at rs1 + imm with bit 0 cleared."""
    s.set_x("rd", s.next_pc)
    s.jump((s.x("rs1") + s.imm()) & ~1)


def _branch(name: str, funct3: str, words: str, condition: Binary) -> None:
    def define(s: Trace) -> None:
        s.branch(condition(s, s.x("rs1"), s.x("rs2")), s.pc + s.imm())

    define.__doc__ = f"Go on at pc + imm if rs1 {words} rs2."
    pattern = f"imm[12|10:5] rs2 rs1 {funct3} imm[4:1|11] 1100011"
    insn(name, pattern, "rs1, rs2, pc+imm", "Unprivileged 2.5.2")(define)


_branch("beq", "000", "equals", lambda s, a, b: a == b)
_branch("bne", "001", "does not equal", lambda s, a, b: a != b)
_branch("blt", "100", "is less than (signed)", lambda s, a, b: a.slt(b))
_branch("bge", "101", "is not less than (signed)", lambda s, a, b: ~a.slt(b))
_branch("bltu", "110", "is less than (unsigned)", lambda s, a, b: a.ult(b))
_branch("bgeu", "111", "is not less than (unsigned)", lambda s, a, b: ~a.ult(b))


def _load(name: str, funct3: str, width: int, signed: bool, source: str) -> None:
    def define(s: Trace) -> None:
        loaded = s.load(s.x("rs1") + s.imm(), width)
        s.set_x("rd", loaded.sext(64) if signed else loaded.zext(64))

    how = "" if width == 64 else ", sign-extended" if signed else ", zero-extended"
    define.__doc__ = f"rd = the {width} bits of memory at rs1 + imm{how}."
    insn(name, f"imm[11:0] rs1 {funct3} rd 0000011", "rd, imm(rs1)", source)(define)


_load("lb", "000", 8, True, "Unprivileged 2.6")
_load("lh", "001", 16, True, "Unprivileged 2.6")
_load("lw", "010", 32, True, "Unprivileged 2.6")
_load("ld", "011", 64, True, "Unprivileged 4.3")
_load("lbu", "100", 8, False, "Unprivileged 2.6")
_load("lhu", "101", 16, False, "Unprivileged 2.6")
_load("lwu", "110", 32, False, "Unprivileged 4.3")


def _store(name: str, funct3: str, width: int, source: str) -> None:
    def define(s: Trace) -> None:
        s.store(s.x("rs1") + s.imm(), s.x("rs2").trunc(width))

    define.__doc__ = f"The {width} bits of memory at rs1 + imm = the low {width} bits of rs2."
    insn(name, f"imm[11:5] rs2 rs1 {funct3} imm[4:0] 0100011", "rs2, imm(rs1)", source)(define)


_store("sb", "000", 8, "Unprivileged 2.6")
_store("sh", "001", 16, "Unprivileged 2.6")
_store("sw", "010", 32, "Unprivileged 2.6")
_store("sd", "011", 64, "Unprivileged 4.3")


def _op_imm(name: str, funct3: str, words: str, compute: Binary) -> None:
    def define(s: Trace) -> None:
        s.set_x("rd", compute(s, s.x("rs1"), s.imm()))

    define.__doc__ = f"rd = {words.format(b='imm')}."
    insn(name, f"imm[11:0] rs1 {funct3} rd 0010011", "rd, rs1, imm", "Unprivileged 2.4.1")(define)


def _op(name: str, funct7: str, funct3: str, words: str, compute: Binary) -> None:
    def define(s: Trace) -> None:
        s.set_x("rd", compute(s, s.x("rs1"), s.x("rs2")))

    define.__doc__ = f"rd = {words.format(b='rs2')}."
    insn(name, f"{funct7} rs2 rs1 {funct3} rd 0110011", "rd, rs1, rs2", "Unprivileged 2.4.2")(define)


def _both(name: str, funct3: str, words: str, compute: Binary) -> None:
    """An operation that has an immediate and a register form: addi and add, sltiu and sltu."""
    immediate = name.removesuffix("u") + "iu" if name.endswith("u") else name + "i"
    _op_imm(immediate, funct3, words, compute)
    _op(name, "0000000", funct3, words, compute)


_both("add", "000", "rs1 + {b}, modulo 2**64", lambda s, a, b: a + b)
_both("slt", "010", "1 if rs1 is less than {b} (signed), else 0", lambda s, a, b: a.slt(b).zext(64))
_both("sltu", "011", "1 if rs1 is less than {b} (unsigned), else 0", lambda s, a, b: a.ult(b).zext(64))
_both("xor", "100", "rs1 exclusive-or {b}", lambda s, a, b: a ^ b)
_both("or", "110", "rs1 or {b}, bit by bit", lambda s, a, b: a | b)
_both("and", "111", "rs1 and {b}, bit by bit", lambda s, a, b: a & b)
_op("sub", "0100000", "000", "rs1 - {b}, modulo 2**64", lambda s, a, b: a - b)


def _shift(name: str, high: str, funct3: str, words: str, compute: Binary) -> None:
    """A 64-bit shift by the low 6 bits of rs2, and by an immediate."""

    def by_register(s: Trace) -> None:
        s.set_x("rd", compute(s, s.x("rs1"), s.x("rs2") & 63))

    def by_immediate(s: Trace) -> None:
        s.set_x("rd", compute(s, s.x("rs1"), s.imm("shamt")))

    by_register.__doc__ = f"rd = rs1 shifted {words} by the low 6 bits of rs2."
    by_immediate.__doc__ = f"rd = rs1 shifted {words} by shamt, 0 to 63."
    insn(name, f"{high}0 rs2 rs1 {funct3} rd 0110011", "rd, rs1, rs2", "Unprivileged 4.2.2")(by_register)
    pattern = f"{high} shamt[5:0] rs1 {funct3} rd 0010011"
    insn(name + "i", pattern, "rd, rs1, shamt", "Unprivileged 4.2.1")(by_immediate)


_shift("sll", "000000", "001", "left", lambda s, a, n: a.shl(n))
_shift("srl", "000000", "101", "right, filling with zeros,", lambda s, a, n: a.shr(n))
_shift("sra", "010000", "101", "right, filling with the sign,", lambda s, a, n: a.sar(n))


@insn("addiw", "imm[11:0] rs1 000 rd 0011011", "rd, rs1, imm", "Unprivileged 4.2.1")
def addiw(s: Trace) -> None:
    """rd = the low 32 bits of rs1 + imm, sign-extended."""
    s.set_x("rd", (s.x("rs1") + s.imm()).trunc(32).sext(64))


@insn("addw", "0000000 rs2 rs1 000 rd 0111011", "rd, rs1, rs2", "Unprivileged 4.2.2")
def addw(s: Trace) -> None:
    """rd = the low 32 bits of rs1 + rs2, sign-extended."""
    s.set_x("rd", (s.x("rs1") + s.x("rs2")).trunc(32).sext(64))


@insn("subw", "0100000 rs2 rs1 000 rd 0111011", "rd, rs1, rs2", "Unprivileged 4.2.2")
def subw(s: Trace) -> None:
    """rd = the low 32 bits of rs1 - rs2, sign-extended."""
    s.set_x("rd", (s.x("rs1") - s.x("rs2")).trunc(32).sext(64))


def _shift_word(name: str, high: str, funct3: str, words: str, compute: Binary) -> None:
    """A 32-bit shift by the low 5 bits of rs2, and by an immediate; the result is sign-extended."""

    def by_register(s: Trace) -> None:
        s.set_x("rd", compute(s, s.x("rs1").trunc(32), s.x("rs2").trunc(32) & 31).sext(64))

    def by_immediate(s: Trace) -> None:
        s.set_x("rd", compute(s, s.x("rs1").trunc(32), s.imm("shamt").trunc(32)).sext(64))

    by_register.__doc__ = f"rd = the low 32 bits of rs1 shifted {words} by the low 5 bits of rs2, sign-extended."
    by_immediate.__doc__ = f"rd = the low 32 bits of rs1 shifted {words} by shamt, 0 to 31, sign-extended."
    insn(name, f"{high} rs2 rs1 {funct3} rd 0111011", "rd, rs1, rs2", "Unprivileged 4.2.2")(by_register)
    pattern = f"{high} shamt[4:0] rs1 {funct3} rd 0011011"
    stem = name.removesuffix("w") + "iw"
    insn(stem, pattern, "rd, rs1, shamt", "Unprivileged 4.2.1")(by_immediate)


_shift_word("sllw", "0000000", "001", "left", lambda s, a, n: a.shl(n))
_shift_word("srlw", "0000000", "101", "right, filling with zeros,", lambda s, a, n: a.shr(n))
_shift_word("sraw", "0100000", "101", "right, filling with the sign,", lambda s, a, n: a.sar(n))


@insn("fence", "fm pred succ rs1 000 rd 0001111", "pred, succ", "Unprivileged 2.7")
def fence(s: Trace) -> None:
    """Order memory accesses: nothing to do on a machine that runs one instruction at a time."""


@insn("fence.tso", "1000 0011 0011 00000 000 00000 0001111", "", "Unprivileged 2.7", within="fence")
def fence_tso(s: Trace) -> None:
    """Order all but stores before loads: nothing to do, as with fence."""


@insn("ecall", "000000000000 00000 000 00000 1110011", "", "Unprivileged 2.8")
def ecall(s: Trace) -> None:
    """Ask the kernel: trap with the cause "environment call from U-mode"."""
    s.trap(Cause.ECALL)


@insn("ebreak", "000000000001 00000 000 00000 1110011", "", "Unprivileged 2.8")
def ebreak(s: Trace) -> None:
    """Give control to a debugger: trap with the cause "breakpoint"."""
    s.trap(Cause.BREAKPOINT)
