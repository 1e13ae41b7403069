"""One instruction, decoded and ready to run by its handler: the python engine's cold path, and every engine's help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vm.isa.cause import Cause
from vm.isa.spec import Insn, decode
from vm.memory import Memory
from vm.render_python import divs, handler_source, rems
from vm.trap import HardwareFault

Handler = Callable[..., int]

#: Distinct words that are remembered as decoded: bounds the host's memory.
MOST_WORDS = 1 << 16
_MASK = (1 << 64) - 1

_handlers: dict[str, Handler] = {}
_understood: dict[int, tuple[Insn | None, Handler, tuple[int, ...]]] = {}


class Generated:
    """Where tracebacks, debuggers and profilers find generated source: linecache asks a module's loader for it."""

    __slots__ = ("source",)

    def __init__(self, source: str) -> None:
        self.source = source

    def get_source(self, name: str) -> str:
        """The source text (importlib.abc.InspectLoader)."""
        return self.source


def compile_source(source: str, name: str, environment: dict[str, Any]) -> Any:
    """The function `name` of generated source, with `environment` as its globals."""
    environment |= {"__name__": name, "__loader__": Generated(source)}
    exec(compile(source, name, "exec"), environment)
    return environment[name]


def handler_of(insn: Insn) -> Handler:
    """The handler of an instruction, rendered when first needed."""
    found = _handlers.get(insn.name)
    if found is None:
        found = compile_source(handler_source(insn), "handler", {"divs": divs, "rems": rems})
        _handlers[insn.name] = found
    return found


def _illegal(x: memoryview, m: Memory, pc: int) -> int:
    raise HardwareFault(Cause.ILLEGAL, 0)


def understand(word: int) -> tuple[Insn | None, Handler, tuple[int, ...]]:
    """The instruction that a word is (None: illegal), its handler, and the handler's operands."""
    known = _understood.get(word)
    if known is not None:
        return known
    found = decode(word)
    if found is None:
        known = None, _illegal, ()
    else:
        insn, fields = found
        known = insn, handler_of(insn), tuple([value & _MASK for value in fields.values()])
    if len(_understood) >= MOST_WORDS:
        _understood.clear()
    _understood[word] = known
    return known


class Step:
    """One decoded instruction at an address: its word, and the handler with its operands."""

    __slots__ = ("arguments", "handler", "insn", "next", "pc", "word")

    def __init__(self, pc: int, word: int) -> None:
        self.pc, self.word, self.next = pc, word, pc + 4
        self.insn, self.handler, self.arguments = understand(word)
