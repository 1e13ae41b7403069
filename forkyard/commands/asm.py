"""forkyard asm FILE…: assembles and links to an ELF executable."""

from __future__ import annotations

import os
from collections.abc import Sequence

from forkyard import build
from forkyard.arguments import Parser
from forkyard.errors import UserError, os_reason


def main(argv: Sequence[str]) -> int:
    """Exit status 0, 1 for assembly errors, 2 for wrong use, 127 if a file was not found."""
    parser = Parser(
        "asm",
        "FILE…",
        "Assembles .s (and .S, through cpp) files and links them, with ELF objects and archives if there are any,\n"
        "and with what they need of programs/lib, to an ELF executable.",
        "forkyard asm hello.s -o hello && qemu-riscv64 ./hello",
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument(
        "-o", dest="out", metavar="OUT", help="default: the first name without its suffix (-c: with .o)"
    )
    parser.add_argument("-c", dest="compile", action="store_true", help="stop at a relocatable object per file")
    parser.add_argument("--listing", metavar="FILE", help="write a listing: address, bytes, source line")
    options = parser.parse_args(list(argv))
    if options.compile and options.out and len(options.files) > 1:
        parser.error("-o names one file, and -c makes one for each of several")
    for path in options.files:
        build.contents(path)
    outputs = _outputs(options.files, options.out, options.compile)
    _check(options.files, [*outputs, options.listing] if options.listing else outputs)
    if options.compile:
        listing = "\n".join([_object(path, out) for path, out in zip(options.files, outputs, strict=True)])
    else:
        data, listing = build.with_listing(options.files)
        _write(outputs[0], data, 0o777)
    if options.listing:
        _write(options.listing, listing.encode("utf-8", "surrogateescape"), 0o666)
    return 0


def _object(path: str, out: str) -> str:
    """Writes the object of one source; returns its listing."""
    data, listing = build.relocatable(path)
    _write(out, data, 0o666)
    return listing


def _outputs(files: Sequence[str], out: str | None, objects: bool) -> list[str]:
    """The names of the object of each file, or of the one executable."""
    if out:
        return [out]
    return [target(path, ".o") for path in files] if objects else [target(files[0], "")]


def _check(files: Sequence[str], outputs: Sequence[str]) -> None:
    """UserError if writing one of the outputs would destroy an input, or another output."""
    for at, out in enumerate(outputs):
        if any(_same(out, path) for path in files):
            raise UserError(f"{out}: is read, and would be overwritten; name another file to write to")
        if any(_same(out, other) for other in outputs[:at]):
            raise UserError(f"{out}: would be written twice; name another file, or assemble one at a time")


def _same(one: str, other: str) -> bool:
    """Whether both names are one file's. A device may be written to as often as one likes."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other) and os.path.isfile(one)
    try:
        return os.path.realpath(one) == os.path.realpath(other)
    except ValueError:  # a NUL character: no file's name, as writing it will say
        return False


def target(path: str, suffix: str) -> str:
    """The name of what is made from `path`, which must not be `path` itself."""
    made = os.path.splitext(path)[0] + suffix
    if made == path:
        raise UserError(f"{path}: what is made of it would have the same name; name it with -o")
    return made


def _write(path: str, data: bytes, mode: int) -> None:
    """A new file beside and then in place of `path`: nobody sees half of it, and a device stays a device."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as file:
                file.write(data)
            return
        partial = f"{path}.{os.getpid()}.partial"
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise UserError(f"{path} cannot be written: {reason}") from None
