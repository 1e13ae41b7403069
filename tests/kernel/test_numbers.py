"""Is what a missing system call is called here what Linux calls it, and what is there called right?"""

from __future__ import annotations

import re
import subprocess

from kernel.syscalls import table
from kernel.syscalls.numbers import name_of
from tests.oracles import need


def names() -> dict[int, str]:
    """Number → name, from <asm/unistd.h>."""
    words = [need("riscv64-linux-gnu-gcc"), "-E", "-dM", "-x", "c", "-"]
    text = subprocess.run(words, input="#include <asm/unistd.h>\n", capture_output=True, text=True, check=True).stdout
    text = text.replace("__NR_arch_specific_syscall", "244")
    defined = dict(re.findall(r"^#define (__NR\w+) (.+)$", text, re.MULTILINE))
    found = {}
    for name, value in defined.items():
        if name.startswith("__NR_") and name not in ("__NR_syscalls", "__NR_arch_specific_syscall"):
            value = defined.get(value, value)
            found[sum(int(part) for part in value.strip("()").split("+"))] = name.removeprefix("__NR_")
    return found


def test_every_number_has_the_name_that_linux_gives_it() -> None:
    expected = names()
    assert len(expected) > 300
    for number in range(600):
        assert name_of(number) == (f"{expected[number]} ({number})" if number in expected else str(number))


def test_the_calls_that_are_there_are_called_so_too() -> None:
    table.load()
    newer = {call.number for call in table.TABLE.values() if call.number > 450}
    wrong = [
        (call.number, call.name)
        for call in table.TABLE.values()
        if call.number not in newer and name_of(call.number) != f"{call.name} ({call.number})"
    ]
    assert wrong == []
