"""Zifencei, the instruction-fetch fence (Unprivileged, chapter "Zifencei")."""

from __future__ import annotations

from vm.isa.spec import Trace, insn


@insn("fence.i", "imm[11:0] rs1 001 rd 0001111", "", "Unprivileged 6.1")
def fence_i(s: Trace) -> None:
    """Make stores visible to instruction fetch: here they always are, from the very next instruction on."""
