"""Pages and frames as /proc counts them: who shares what after a fork, under every policy of fork."""

from __future__ import annotations

from errno import EINVAL
from struct import unpack

import pytest

from kernel.fs.constants import SEEK_SET
from tests.kernel.fs.box import MEMORY, Box
from tests.kernel.fs.proc.reading import lines, read

PAGE = 4096
PAGES = 8


def sizes(box: Box, path: str) -> dict[str, int]:
    """The sizes of smaps_rollup in kB."""
    rows = lines(read(box, path))
    return {name.decode(): int(value.split()[0]) for name, value in rows.items() if value.endswith(b"kB")}


@pytest.fixture(params=["cow", "shared-tables"])
def family(request: pytest.FixtureRequest) -> tuple[Box, Box]:
    """Two processes that share what the parent has written before."""
    box = Box()
    box.k.config.fork = request.param
    for page in range(PAGES):
        box.poke(b"x", MEMORY + 0x10000 + page * PAGE)
    return box, box.fork()


def test_what_fork_shares_is_shared_and_each_has_half_of_it(family: tuple[Box, Box]) -> None:
    box, child = family
    found = sizes(box, f"{child.task.tid}/smaps_rollup")
    assert found["Shared_Dirty"] >= 4 * PAGES
    assert found["Pss"] <= found["Rss"] - 2 * PAGES
    assert found["Rss"] == sum(
        found[f"{kind}_{state}"] for kind in ("Shared", "Private") for state in ("Clean", "Dirty")
    )
    assert found["Rss"] == found["Anonymous"]


def test_a_page_that_was_written_since_is_private(family: tuple[Box, Box]) -> None:
    box, child = family
    pid = child.task.tid
    before = sizes(box, f"{pid}/smaps_rollup")
    child.poke(b"y", MEMORY + 0x10000)
    after = sizes(box, f"{pid}/smaps_rollup")
    assert after["Private_Dirty"] >= before["Private_Dirty"] + 4
    assert after["Shared_Dirty"] <= before["Shared_Dirty"] - 4


def test_pss_of_all_is_the_memory_that_is_used(family: tuple[Box, Box]) -> None:
    box, child = family
    grandchild = child.fork()
    boxes = (box, child, grandchild)
    frames = set()
    for each in boxes:
        text = read(box, f"{each.task.tid}/frames")
        frames |= {line.split()[1] for line in text.splitlines()[1:]}
    total = sum(sizes(box, f"{each.task.tid}/smaps_rollup")["Pss"] for each in boxes)
    assert abs(total - 4 * len(frames)) <= 12  # each is rounded, and reading writes into the reader's buffer


def test_frames_names_those_who_share(family: tuple[Box, Box]) -> None:
    box, child = family
    rows = {line[:12]: line for line in read(box, f"{child.task.tid}/frames").splitlines()}
    assert rows[b"%012x" % (MEMORY + 0x11000)].endswith(b"anonymous | also 1")


def test_pagemap_has_a_word_for_each_page(box: Box) -> None:
    box.poke(b"x", MEMORY + 0x20000)
    fd = box.open("/proc/self/pagemap")
    assert box.lseek(fd, (MEMORY + 0x1F000) // PAGE * 8, SEEK_SET) >= 0
    absent, there, after = unpack("<3Q", box.read(fd, 24))
    assert absent == after == 0 and there >> 63 == 1 and there >> 56 & 1 == 1
    ppn = there & (1 << 55) - 1
    assert box.k.frames.count(ppn) == 1 and box.k.machine.ram.read(ppn * PAGE, 1) == b"x"
    assert box.read(fd, 7) == -EINVAL
    assert box.lseek(fd, 1 << 38, SEEK_SET) and box.read(fd, 8) == b""
