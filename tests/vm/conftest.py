"""Fixtures of the machine's tests."""

from __future__ import annotations

from tests.vm.support import eager, heat

__all__ = ["eager", "heat"]
