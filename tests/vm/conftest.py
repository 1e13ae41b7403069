"""Fixtures of the machine's tests."""

from __future__ import annotations

from tests.vm.support import heat

__all__ = ["heat"]
