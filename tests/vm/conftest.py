"""Fixtures of the machine's tests."""

from __future__ import annotations

from tests.vm.support import heat, regions_at_once

__all__ = ["heat", "regions_at_once"]
