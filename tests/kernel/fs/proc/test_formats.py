"""The files of /proc look as those of the Linux that the tests run on: fields, widths, the order of lines."""

from __future__ import annotations

import re

import pytest

from tests.kernel.fs.box import Box
from tests.kernel.fs.proc.reading import host, is_in_order, lines, read

# Lines of newer kernels than ours says it is, and of other processors.
ONLY_THERE = {b"Kthread", b"untag_mask", b"Speculation_Store_Bypass", b"SpeculationIndirectBranch", b"KSM"}


def shape(text: bytes) -> bytes:
    """Numbers become 0: what is left is how a file looks."""
    return re.sub(rb"-?\d+", b"0", text)


def test_stat_has_the_fields_of_linux(box: Box) -> None:
    ours, theirs = read(box, "self/stat"), host("self/stat")
    assert ours.count(b"\n") == theirs.count(b"\n") == 1
    pattern = rb"\d+ \(.{1,15}\) [RSDTZ]( -?\d+){49}\n"
    assert re.fullmatch(pattern, theirs) and re.fullmatch(pattern, ours)


@pytest.mark.parametrize("name", ["statm", "schedstat"])
def test_files_of_numbers_have_as_many_as_on_linux(box: Box, name: str) -> None:
    assert shape(read(box, f"self/{name}")) == shape(host(f"self/{name}"))


def test_status_has_lines_of_linux_in_their_order_and_form(box: Box) -> None:
    ours, theirs = lines(read(box, "self/status")), lines(host("self/status"))
    assert is_in_order(list(ours), list(theirs))
    assert theirs.keys() - ours.keys() <= ONLY_THERE
    for name in ours.keys() - {b"Name", b"State", b"Groups", b"Cpus_allowed_list", b"Cpus_allowed", b"Mems_allowed"}:
        assert len(ours[name]) == len(theirs[name]) or shape(ours[name]) == shape(theirs[name]), name


def test_status_of_a_zombie_has_the_lines_that_linux_has_for_one(box: Box) -> None:
    child = box.fork()
    child.exit()
    ours = list(lines(read(box, f"{child.task.tid}/status")))
    assert ours[:4] == [b"Name", b"State", b"Tgid", b"Ngid"]  # no Umask
    assert b"VmSize" not in ours and ours[ours.index(b"NSsid") + 1] == b"Threads"


def test_maps_lines_have_the_columns_of_linux(box: Box) -> None:
    pattern = rb"[0-9a-f]{8,16}-[0-9a-f]{8,16} [r-][w-][x-][ps] [0-9a-f]{8} [0-9a-f]{2}:[0-9a-f]{2} \d+ (\n| *(\S.*)\n)"
    for text in (read(box, "self/maps"), host("self/maps")):
        for line in text.splitlines(keepends=True):
            found = re.fullmatch(pattern, line)
            assert found, line
            assert not found[2] or line.index(found[2]) == 73 or b"  " not in line
