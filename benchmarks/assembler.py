"""How many lines per second the assembler does, end to end: text in, linked executable out.

    python benchmarks/assembler.py [LINES]

The lines are like a compiler's: other registers, numbers and labels on each, so that remembering whole statements helps
little.
The figure is also given for a machine on which a bare `while` loop does 25 million rounds per second.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.host import REFERENCE, loop_rate

REGISTERS = [*(f"a{n}" for n in range(8)), *(f"t{n}" for n in range(7)), *(f"s{n}" for n in range(2, 12))]


def program(lines: int) -> str:
    """A program with that many lines, always the same."""
    made = ["    .globl _start", "    .text", "_start:"]
    number = 12345
    while len(made) < lines - 4:
        number = (number * 1103515245 + 12345) % (1 << 31)
        made.append(_line(number >> 8, len(made)))
    return "\n".join([*made, "    li a7, 93", "    ecall", "    .data", "value: .word 1"]) + "\n"


def _line(number: int, at: int) -> str:
    a, b, c = (REGISTERS[number >> shift & 15] for shift in (0, 4, 8))
    forms = (
        f"    addi {a}, {b}, {number % 2048}",
        f"    ld {a}, {number % 128 * 8}(sp)       # a comment",
        f"    sd {b}, {number % 128 * 8}({c})",
        f"    add {a}, {b}, {c}",
        f"    li {a}, {number}",
        f"label_{at}:",
        f"    beqz {a}, 1f",
        "1:",
        f"    la {a}, value",
        f"    mv {a}, {b}",
        f"    .word {number}, {at}",
        f"    slli {a}, {a}, {number % 63}",
    )
    return forms[(number >> 12) % len(forms)]


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    from asm.assemble import assemble
    from asm.link import link

    text = program(lines)
    rate = max(loop_rate() for _ in range(3))
    begin = time.perf_counter()
    made = assemble(text, "benchmark.s")
    middle = time.perf_counter()
    executable = link([made])
    end = time.perf_counter()
    per_second = lines / (end - begin)
    print(
        f"{lines} lines: assembled in {middle - begin:.2f} s, linked in {end - middle:.2f} s, {len(executable)} bytes"
    )
    print(f"{per_second:,.0f} lines per second here; a bare loop does {rate / 1e6:.1f} million rounds per second,")
    print(f"so that is {per_second * REFERENCE / rate:,.0f} lines per second at {REFERENCE / 1e6:.0f} million rounds")


if __name__ == "__main__":
    main()
