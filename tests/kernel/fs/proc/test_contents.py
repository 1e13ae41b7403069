"""What /proc says of processes whose state is known."""

from __future__ import annotations

from kernel import scheduler
from tests.kernel.fs.box import BLOCKED, MEMORY, SIZE, Box
from tests.kernel.fs.proc.reading import lines, read
from tests.kernel.machines import assemble, machine

WRITE_PROC = """
_start: li      a0, -100
        la      a1, path
        li      a2, 0
        sys     56
        la      a1, buffer
        li      a2, 8192
        sys     63
        mv      a2, a0
        li      a0, 1
        la      a1, buffer
        sys     64
        exit    0
        .data
path:   .asciz "{path}"
        .bss
buffer: .skip   8192
"""


def printed(path: str, arguments: list[bytes] | None = None, **config: object) -> bytes:
    """What a program that runs as pid 1 finds in a file."""
    files = {"prog": assemble(WRITE_PROC.format(path=path))}
    k = machine(files, [b"prog", *(arguments or [])], **config)
    assert k.run().status == 0
    return bytes(k.door.output[1])


def fields(data: bytes) -> list[bytes]:
    """The fields of stat; the first is the pid, the second the name."""
    before, _, after = data.rpartition(b") ")
    return [*before.split(b" (", 1), *after.split()]


def test_cmdline_is_argv_each_with_its_nul() -> None:
    assert printed("/proc/self/cmdline", [b"one", b"", b"three words"]) == b"prog\0one\0\0three words\0"


def test_environ_is_envp_each_with_its_nul() -> None:
    assert printed("/proc/self/environ", env=(b"A=1", b"B=two")) == b"A=1\0B=two\0"


def test_comm_is_the_programs_name() -> None:
    assert printed("/proc/self/comm") == b"prog\n"


def test_maps_shows_the_programs_segments_with_its_path() -> None:
    text = printed("/proc/self/maps").decode().splitlines()
    rows = [line.split() for line in text]
    assert [(row[1], row[5] if len(row) > 5 else "") for row in rows] == [
        ("r-xp", "/bin/prog"),
        ("rw-p", "/bin/prog"),
        ("rw-p", ""),
        ("rw-p", "[stack]"),
        ("r-xp", "[vdso]"),
    ]
    assert rows[0][4] == rows[1][4] != "0" and rows[2][4] == "0"  # the inode


def test_parents_groups_and_sessions_are_told(box: Box) -> None:
    child = box.fork()
    found = fields(read(box, f"{child.task.tid}/stat"))
    assert found[:6] == [b"2", b"test", b"R", b"1", b"1", b"1"]
    assert found[37] == b"17"  # exit_signal


def test_a_process_that_waits_sleeps_and_a_zombie_is_one(box: Box) -> None:
    child = box.fork()
    assert box.call("wait4", -1, 0, 0, 0) == BLOCKED
    assert fields(read(child, "1/stat"))[2] == b"S"
    assert lines(read(child, "1/status"))[b"State"] == b"\tS (sleeping)"
    grandchild = child.fork()
    grandchild.exit()
    assert fields(read(child, f"{grandchild.task.tid}/stat"))[2] == b"Z"
    assert lines(read(child, f"{grandchild.task.tid}/status"))[b"State"] == b"\tZ (zombie)"
    assert read(child, f"{grandchild.task.tid}/cmdline") == b""
    assert read(child, f"{grandchild.task.tid}/statm") == b"0 0 0 0 0 0 0\n"


def test_a_vfork_parent_is_in_disk_sleep(box: Box) -> None:
    assert box.call("clone", 0x4111, 0, 0, 0, 0) == BLOCKED
    child = object.__new__(Box)
    child.k, child.task = box.k, box.k.tasks[2]
    assert fields(read(child, "1/stat"))[2] == b"D"
    assert lines(read(child, "1/status"))[b"State"] == b"\tD (disk sleep)"


def test_a_stopped_process_is_stopped(box: Box) -> None:
    child = box.fork()
    scheduler.stop(box.k, child.task)
    assert lines(read(box, "2/status"))[b"State"] == b"\tT (stopped)"


def test_sizes_are_those_of_the_areas_and_the_page_table(box: Box) -> None:
    box.poke(b"x", MEMORY)
    found = fields(read(box, "self/stat"))
    resident = box.k.mms.peek(box.task.mm).resident
    assert (int(found[22]), int(found[23])) == (SIZE, resident)
    status = lines(read(box, "self/status"))
    assert int(status[b"VmSize"].split()[0]) == SIZE // 1024
    assert int(status[b"RssAnon"].split()[0]) == int(status[b"VmRSS"].split()[0])


def test_a_name_can_be_anything_and_status_escapes_it(box: Box) -> None:
    fd = box.open("/proc/self/comm", 2)
    assert box.write(fd, b"a) \\\nb and much more than fits") == 30
    assert read(box, "self/comm") == b"a) \\\nb and much\n"
    assert read(box, "self/stat").startswith(b"1 (a) \\\nb and much) R ")
    assert lines(read(box, "self/status"))[b"Name"] == b"\ta) \\\\\\nb and much"


THREAD = 0x10F00 | 0x40000  # CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM


def test_a_threads_directory_is_in_its_process(box: Box) -> None:
    tid = box.call("clone", THREAD, MEMORY + 0x8000, 0, 0, 0)
    assert tid == 2
    assert box.listing("/proc/self/task") == [b"1", b"2"]
    assert b"2" not in box.listing("/proc")  # it is no process, but can be asked about
    assert fields(read(box, "2/stat"))[:2] == [b"2", b"test"]
    assert lines(read(box, "self/task/2/status"))[b"Pid"] == b"\t2"
    assert lines(read(box, "self/task/2/status"))[b"Tgid"] == b"\t1"
    assert lines(read(box, "self/status"))[b"Threads"] == b"\t2"
    assert fields(read(box, "self/stat"))[19] == b"2"


def test_a_threads_name_is_its_own(box: Box) -> None:
    box.call("clone", THREAD, MEMORY + 0x8000, 0, 0, 0)
    fd = box.open("/proc/self/task/2/comm", 1)
    assert box.write(fd, b"worker") == 6
    assert (read(box, "self/comm"), read(box, "self/task/2/comm")) == (b"test\n", b"worker\n")


def test_status_tells_who_gave_up_new_privileges(box: Box) -> None:
    assert lines(read(box, "self/status"))[b"NoNewPrivs"] == b"\t0"
    child = box.fork()
    assert child.call("prctl", 38, 1, 0, 0, 0) == 0
    assert lines(read(box, f"{child.task.tid}/status"))[b"NoNewPrivs"] == b"\t1"
    assert lines(read(box, "self/status"))[b"NoNewPrivs"] == b"\t0"
