"""The rule that every instruction has its native translation: in the whole suite none may fall back to python.

The llvm engine would run such an instruction by its python handler and only count it (`python_fallbacks`).
"""

from __future__ import annotations

import re
from typing import Any

import pytest

#: The words of the instructions that fell back since the last `demand_none`, in this process.
_words: set[int] = set()


def watch(patch: pytest.MonkeyPatch) -> None:
    """From now on every engine's fallbacks are noted. It imports no llvm engine before one is made."""
    from vm.engine import Parts

    make = Parts.llvm

    def watched(parts: Parts) -> Any:
        engine = make(parts)
        _note(type(engine))
        return engine

    patch.setattr(Parts, "llvm", watched)


def demand_none() -> None:
    """Raises AssertionError if an instruction fell back since this was last asked."""
    words = sorted(_words)
    _words.clear()
    if words:
        from vm.disasm import text

        names = ", ".join(text(word, 0).replace("\t", " ") for word in words)
        raise AssertionError(f"without a native translation: {names}")


def demand_none_in(stats: str) -> None:
    """The same of a machine in another process, by what its --stats says (nothing, if llvm was not its engine)."""
    said = re.search(r"python fallbacks +([\d,]+)", stats)
    assert said is None or said[1] == "0", f"{said[1]} instructions without a native translation"


def _note(engine: Any) -> None:
    fall_back = engine._fall_back
    if fall_back.__name__ == "noted":
        return

    def noted(self: Any, x: memoryview, n: int) -> int:
        from vm.hart import PC

        _words.add(self._word(x[PC]))
        left: int = fall_back(self, x, n)
        return left

    engine._fall_back = noted
