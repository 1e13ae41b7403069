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


@pytest.mark.parametrize("name", ["smaps", "smaps_rollup"])
def test_smaps_has_lines_of_linux_in_their_order_and_form(box: Box, name: str) -> None:
    ours, theirs = (text.split(b"Vm")[0].splitlines() for text in (read(box, f"self/{name}"), host(f"self/{name}")))
    names, there = ([line.split(b":")[0] for line in lines[1:]] for lines in (ours, theirs))
    assert is_in_order(names, there)
    assert set(there[: len(names) + 1]) - set(names) <= ONLY_THERE
    forms = {line.split(b":")[0]: (len(line), line[-3:]) for line in theirs[1:]}
    assert all(forms[line.split(b":")[0]] == (len(line), line[-3:]) or b"eligible" in line for line in ours[1:])


def test_limits_has_every_line_of_linux(box: Box) -> None:
    ours, theirs = (re.sub(rb"unlimited|\d+ *", b"#", text) for text in (read(box, "self/limits"), host("self/limits")))
    assert re.sub(rb"#+ *", b"#", ours) == re.sub(rb"#+ *", b"#", theirs)
    assert [len(line) for line in read(box, "self/limits").splitlines()] == [
        len(line) for line in host("self/limits").splitlines()
    ]


def test_meminfo_has_lines_of_linux_in_their_order_and_form(box: Box) -> None:
    ours, theirs = lines(read(box, "meminfo")), lines(host("meminfo"))
    assert is_in_order(list(ours), list(theirs))
    assert all(len(name + ours[name]) == len(name + theirs[name]) for name in ours)


@pytest.mark.parametrize("name", ["uptime", "loadavg"])
def test_lines_about_the_machine_look_as_on_linux(box: Box, name: str) -> None:
    assert shape(read(box, name)) == shape(host(name))


def test_stat_of_the_machine_has_lines_of_linux_in_their_order(box: Box) -> None:
    ours, theirs = ([line.split(b" ")[0] for line in text.splitlines()] for text in (read(box, "stat"), host("stat")))
    assert is_in_order(ours, theirs)
    assert read(box, "stat").splitlines()[0].count(b" ") == host("stat").splitlines()[0].count(b" ")


def test_version_mounts_and_filesystems_look_as_on_linux(box: Box) -> None:
    for name, pattern in (
        ("version", rb"Linux version \S+ \(.+\) #1.*\n"),
        ("mounts", rb"(\S+ /\S* \S+ r[ow],\S+ 0 0\n)+"),
        ("filesystems", rb"((nodev)?\t\w+\n)+"),
        ("sys/kernel/pid_max", rb"\d+\n"),
        ("sys/kernel/ostype", rb"Linux\n"),
    ):
        assert re.fullmatch(pattern, host(name)) and re.fullmatch(pattern, read(box, name)), name


def test_fdinfo_begins_as_on_linux(box: Box) -> None:
    with open("/dev/null") as file:
        theirs = host(f"self/fdinfo/{file.fileno()}")
    assert list(lines(read(box, "self/fdinfo/0"))) == list(lines(theirs))[:4]
