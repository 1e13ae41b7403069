"""A: load-reserved, store-conditional and atomic memory operations (Unprivileged, chapter "A").

Addresses must be naturally aligned. One instruction runs at a time, so that an AMO is a load and a store, and
aq and rl order nothing. A reservation is one address; a switch of task clears it.
"""

from __future__ import annotations

from collections.abc import Callable

from vm.isa.expr import Value
from vm.isa.spec import Trace, insn

Combine = Callable[[Trace, Value, Value], Value]
_SIZES = ((".w", 32, "010"), (".d", 64, "011"))


def _lr(suffix: str, width: int, funct3: str) -> None:
    def define(s: Trace) -> None:
        address = s.x("rs1")
        loaded = s.load(address, width, access="lr")
        s.reserve(address)
        s.set_x("rd", loaded.sext(64))

    define.__doc__ = f"rd = the {width} bits at rs1, sign-extended; reserve that address."
    insn("lr" + suffix, f"00010 aq rl 00000 rs1 {funct3} rd 0101111", "rd, (rs1)", "Unprivileged 13.2")(define)


def _sc(suffix: str, width: int, funct3: str) -> None:
    def define(s: Trace) -> None:
        address = s.x("rs1")
        reserved = s.reservation == address
        s.store(address, s.x("rs2").trunc(width), access="amo", when=reserved)
        s.set_x("rd", (~reserved).zext(64))
        s.reserve(None)

    define.__doc__ = f"If rs1 is reserved: the {width} bits there = rs2, rd = 0. Else rd = 1. Drop the reservation."
    insn("sc" + suffix, f"00011 aq rl rs2 rs1 {funct3} rd 0101111", "rd, rs2, (rs1)", "Unprivileged 13.2")(define)


def _amo(name: str, funct5: str, words: str, combine: Combine) -> None:
    for suffix, width, funct3 in _SIZES:
        _amo_of_size(name + suffix, funct5, words, combine, width, funct3)


def _amo_of_size(name: str, funct5: str, words: str, combine: Combine, width: int, funct3: str) -> None:
    def define(s: Trace) -> None:
        address = s.x("rs1")
        old = s.load(address, width, access="amo")
        s.store(address, combine(s, old, s.x("rs2").trunc(width)), access="amo")
        s.set_x("rd", old.sext(64))

    define.__doc__ = f"rd = the {width} bits at rs1, sign-extended; they become {words}."
    insn(name, f"{funct5} aq rl rs2 rs1 {funct3} rd 0101111", "rd, rs2, (rs1)", "Unprivileged 13.4")(define)


for _size in _SIZES:
    _lr(*_size)
    _sc(*_size)
_amo("amoswap", "00001", "rs2", lambda s, old, b: b)
_amo("amoadd", "00000", "their sum with rs2", lambda s, old, b: old + b)
_amo("amoxor", "00100", "their exclusive-or with rs2", lambda s, old, b: old ^ b)
_amo("amoand", "01100", "their and with rs2", lambda s, old, b: old & b)
_amo("amoor", "01000", "their or with rs2", lambda s, old, b: old | b)
_amo("amomin", "10000", "the lesser of them and rs2, signed", lambda s, old, b: s.select(b.slt(old), b, old))
_amo("amomax", "10100", "the greater of them and rs2, signed", lambda s, old, b: s.select(old.slt(b), b, old))
_amo("amominu", "11000", "the lesser of them and rs2, unsigned", lambda s, old, b: s.select(b.ult(old), b, old))
_amo(
    "amomaxu",
    "11100",
    "the greater of them and rs2, unsigned",
    lambda s, old, b: s.select(old.ult(b), b, old),
)
