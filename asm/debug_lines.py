"""Line tables."""

from __future__ import annotations

from asm.objects import Object


def add_relocatable(made: Object) -> None:
    """Adds .debug_line."""


def add_linked(image: object) -> None:
    """Adds .debug_line."""
