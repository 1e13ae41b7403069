"""Which engine runs the machine: python, llvm, or the one first and the other once it pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from vm.engine_python import PythonEngine
from vm.hart import Hart
from vm.memory import Memory
from vm.mmu import Mmu
from vm.ram import Ram
from vm.tlb import Tlb
from vm.trap import Exit

if TYPE_CHECKING:
    from vm.native.code import ObjectCache

NAMES = ("auto", "llvm", "python")
#: Instructions after which "auto" changes over: by then the python engine has taken as long as LLVM takes to load.
WORTHWHILE = 300_000


class EngineError(ValueError):
    """An engine that does not exist or cannot run here; the message says what to do."""


class Engine(Protocol):
    """What runs harts."""

    name: str

    def run(self, hart: Hart, budget: int) -> Exit:
        """Run `hart` for exactly `budget` instructions, or until one traps. See Machine.run."""

    def refill(self, satp: int, va: int, access: str) -> None:
        """A fault has been resolved. See Machine.refill."""

    @property
    def stats(self) -> dict[str, int]:
        """Host figures."""


class Parts:
    """The hardware that an engine works on."""

    __slots__ = ("cache", "count", "memory", "mmu", "ram", "tlb")

    def __init__(self, ram: Ram, tlb: Tlb, mmu: Mmu, memory: Memory, count: bool, cache: ObjectCache | None) -> None:
        self.ram, self.tlb, self.mmu, self.memory, self.count, self.cache = ram, tlb, mmu, memory, count, cache

    def python(self) -> PythonEngine:
        """The python engine."""
        return PythonEngine(self.ram, self.tlb, self.mmu, self.memory, self.count)

    def llvm(self) -> Engine:
        """The llvm engine. Raises EngineError where there is no llvmlite."""
        try:
            from vm.native.engine import LlvmEngine
        except ImportError as error:
            raise EngineError(
                f"the llvm engine needs the package llvmlite, which cannot be loaded here ({error}): "
                "pip install llvmlite, or use --engine python"
            ) from None
        return LlvmEngine(self.ram, self.tlb, self.mmu, self.memory, self.count, self.cache)


class AutoEngine:
    """The python engine, and from WORTHWHILE instructions on the llvm engine, if there is one.

    `run` is the method that it is time for: what has been decided costs nothing any more.
    """

    name = "auto"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._first = parts.python()
        self._engine: Engine = self._first
        self._before = WORTHWHILE
        self.run: Callable[[Hart, int], Exit] = self._run_part

    @property
    def stats(self) -> dict[str, int]:
        """Host figures of the engine that runs now."""
        return self._engine.stats

    def refill(self, satp: int, va: int, access: str) -> None:
        """See Machine.refill."""
        self._engine.refill(satp, va, access)

    def _run_part(self, hart: Hart, budget: int) -> Exit:
        """Run by the python engine until it is time for the other. See Machine.run."""
        result = self._run_first(hart, min(budget, self._before), budget)
        self._before -= result.retired
        if self._before > 0:
            return result
        self._change_over()
        if result.trap is not None or result.retired == budget:
            return result
        rest = self.run(hart, budget - result.retired)
        return Exit(result.retired + rest.retired, rest.trap)

    def _run_first(self, hart: Hart, part: int, budget: int) -> Exit:
        """Run only a part of the budget: the counters' ends are those of the part meanwhile."""
        if part == budget:
            return self._first.run(hart, budget)
        memory, later = self._parts.memory, budget - part
        memory.retired, memory.clock = memory.retired - later, memory.clock - later
        result = self._first.run(hart, part)
        memory.retired, memory.clock = memory.retired + later, memory.clock + later
        return result

    def _change_over(self) -> None:
        try:
            second = self._parts.llvm()
        except EngineError:
            self.run = self._first.run
            return
        self._first.forget()
        self._engine, self.run = second, second.run


def choose(name: str, parts: Parts) -> Engine:
    """The engine of that name. Raises EngineError."""
    if name == "python":
        return parts.python()
    if name == "llvm":
        return parts.llvm()
    if name == "auto":
        return AutoEngine(parts)
    raise EngineError(f"there is no engine {name!r}: choose one of {', '.join(NAMES)}")
