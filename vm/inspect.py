"""Looking at the next instruction without running it: for the tracer and the debugger."""

from __future__ import annotations

from vm.hart import Hart
from vm.isa.spec import Insn
from vm.mmu import Mmu
from vm.ram import Ram
from vm.render_python import address_source
from vm.step import Step, compile_source
from vm.trap import HardwareFault

_finders: dict[str, object] = {}


def accesses_of(ram: Ram, mmu: Mmu, hart: Hart) -> list[tuple[str, int, int]]:
    """The (access, virtual address, bytes) of the next instruction; none if it cannot be fetched or is invalid."""
    try:
        step = Step(hart.pc, ram.read32(mmu.translate(hart.satp, hart.pc & ~3, "fetch")))
    except HardwareFault:
        return []
    if step.insn is None:
        return []
    found = _finder(step.insn)(hart.x, None, step.pc, *step.arguments)  # type: ignore[operator]
    return [access for access in found if access is not None]


def _finder(insn: Insn) -> object:
    found = _finders.get(insn.name)
    if found is None:
        found = compile_source(address_source(insn), "addresses", {})
        _finders[insn.name] = found
    return found
