"""The linker: objects in, one executable out, laid out as link.ld says.

Source: gABI, 4 and 5; psABI, 8.4 Relocations; GNU ld manual. What is left of R_RISCV_ALIGN is as `ld --no-relax`
leaves it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from asm import link_align
from asm.elf import EF_FLOAT_ABI, EF_RVC
from asm.link_errors import LinkErrors
from asm.link_layout import Image
from asm.link_relocate import relocate
from asm.link_script import Script, parse
from asm.link_symbols import Resolver
from asm.link_write import write
from asm.objects import Object

#: Gives the object that defines a symbol, or None: libraries that are made or read only when they are needed.
Provider = Callable[[str], Object | None]

_script: Script | None = None


def script() -> Script:
    """The linker script of this repository."""
    global _script
    if _script is None:
        path = os.path.join(os.path.dirname(__file__), "link.ld")
        with open(path, encoding="utf-8") as file:
            _script = parse(file.read())
    return _script


def link(inputs: Sequence[Object], libraries: Iterable[Provider] = ()) -> bytes:
    """Links objects to an executable. Raises LinkErrors with all that is wrong.

    `libraries` are asked, in order, for the object that defines a symbol which is still undefined.
    """
    return write(place(inputs, libraries))


def place(inputs: Sequence[Object], libraries: Iterable[Provider] = ()) -> Image:
    """The program with everything in its place and every address filled in, but not written yet. Raises LinkErrors."""
    resolver = Resolver(script().entry)
    for made in inputs:
        resolver.add(made)
    resolver.resolve(list(libraries))
    _check_machine(resolver.objects)
    for made in resolver.objects:
        link_align.settle(made)
    image = Image(script(), resolver)
    relocate(image)
    return image


def _check_machine(objects: Sequence[Object]) -> None:
    """Refuses objects for a larger machine. Raises LinkErrors."""
    messages = []
    for made in objects:
        if made.flags & EF_FLOAT_ABI:
            messages.append(f"{made.name}: error: this object is for a machine with floating-point registers\n{_FLAGS}")
        elif made.flags & EF_RVC:
            messages.append(f"{made.name}: error: this object has compressed instructions (the C extension)\n{_FLAGS}")
    if messages:
        raise LinkErrors(messages)


_FLAGS = "  compile it with -march=rv64ima -mabi=lp64 (GNU as: with -march=rv64ima)"


__all__ = ["LinkErrors", "Provider", "link", "place", "script", "write"]
