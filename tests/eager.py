"""Regions as soon as a jump is hot, in tests of the llvm engine: no worker decides when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def eager(hot: int) -> Iterator[None]:
    """Translate regions when a jump is taken for the `hot`th time, and at once."""
    from vm.native import code, layout, worker  # here: without llvmlite the other tests can run

    def nobody(self: worker.Worker) -> None:
        raise OSError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "HOT_JUMPS", hot)
        patch.setattr(worker.Worker, "__init__", nobody)
        patch.setattr(code, "_natives", {})
        code._parts.cache_clear()
        yield
    code._parts.cache_clear()
