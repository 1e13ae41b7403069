"""forkyard cache: shows what is kept between runs, or drops it."""

from __future__ import annotations

from collections.abc import Sequence

from forkyard import cache
from forkyard.arguments import Parser
from forkyard.errors import UserError, os_reason

#: What the entries are, by how their names begin; all others are assembled programs.
KINDS = {"handlers-": "interpreters in machine code", "region-": "translated parts of programs"}


def main(argv: Sequence[str]) -> int:
    """Prints place, entries and size of the cache; --clear empties it."""
    about = "Shows what is kept between runs: assembled programs, and machine code made from programs."
    parser = Parser("cache", "", about, "forkyard cache --clear")
    parser.add_argument("--clear", action="store_true", help="drop every entry; all is made anew when it is needed")
    clear, place = parser.parse_args(list(argv)).clear, cache.directory()
    if place is None:
        print("there is no cache: FORKYARD_CACHE is empty, or there is no home directory")
    elif refused := cache.refusal(place):
        print(f"{place}: nothing is kept: {refused}")
    else:
        print(_cleared(place) if clear else "\n".join(_report(place)))
    return 0


def _cleared(place: str) -> str:
    try:
        return f"dropped {cache.clear()} entries from {place}"
    except OSError as error:
        raise UserError(f"{error.filename} cannot be removed: {os_reason(error)}") from None


def _report(place: str) -> list[str]:
    entries = cache.entries()
    counts = dict.fromkeys((*KINDS.values(), "assembled programs"), (0, 0))
    for _, size, path in entries:
        name = path.rpartition("/")[2]
        kind = next((what for start, what in KINDS.items() if name.startswith(start)), "assembled programs")
        counts[kind] = counts[kind][0] + 1, counts[kind][1] + size
    lines = [f"{place}: {_kib(sum(size for _, size, _ in entries))} of at most {_kib(cache.MOST_BYTES)}"]
    return lines + [f"  {count:>5} {kind:<30} {_kib(size):>12}" for kind, (count, size) in counts.items()]


def _kib(size: int) -> str:
    return f"{-(-size // 1024):,} KiB"
