"""The terminal: who may use it, whose keys reach whom, and what a session's leader leaves behind."""

from __future__ import annotations

from struct import pack, unpack
from typing import Any

import pytest

from kernel import scheduler
from kernel.errno import EINVAL, EIO, ENOTTY, ENXIO, EPERM, ESRCH
from kernel.fs.constants import O_RDWR
from kernel.fs.terminal import THE_CONSOLE
from kernel.signal_numbers import SIG_IGN, SIGHUP, SIGINT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH
from kernel.task import Action
from tests.kernel.fs.box import BLOCKED, MEMORY, Box
from tests.kernel.fs.proc.reading import read
from tests.kernel.fs.test_devices import Typist

GETS, SETS, SCTTY, GPGRP, SPGRP, NOTTY, GSID = 0x5401, 0x5402, 0x540E, 0x540F, 0x5410, 0x5422, 0x5429
GWINSZ, SWINSZ, FIONREAD = 0x5413, 0x5414, 0x541B
AT = MEMORY + 0x3000


class Terminal(Typist):
    """Somebody at a terminal, as all three standard files."""

    def __init__(self) -> None:
        super().__init__()
        self.suspended = 0

    def is_terminal(self, fd: int) -> bool:
        return True

    def suspend(self) -> None:
        self.suspended += 1


@pytest.fixture
def box() -> Box:
    return Box(door=Terminal())


def number(box: Box, request: int, fd: int = 0) -> Any:
    """What an ioctl stores, or -errno."""
    result = box.call("ioctl", fd, request, AT)
    return result or unpack("<i", box.peek(4, AT))[0]


def foreground(box: Box, pgid: int) -> Any:
    return box.call("ioctl", 0, SPGRP, box.poke(pack("<i", pgid), AT))


def job(box: Box) -> Box:
    """A child in a group of its own."""
    child = box.fork()
    assert child.call("setpgid", 0, 0) == 0
    return child


def has(box: Box, signal: int) -> bool:
    group = box.k.groups.peek(box.task.tgid)
    return bool((group.signals | box.task.signals) >> signal - 1 & 1)


def ignore(box: Box, signal: int) -> None:
    box.k.sighands[box.task.sighand].actions[signal] = Action(SIG_IGN, 0, 0)


def test_only_what_is_a_terminal_outside_is_one_inside(box: Box) -> None:
    assert [box.call("ioctl", fd, GETS, AT) for fd in range(3)] == [0, 0, 0]
    plain = Box()
    assert [plain.call("ioctl", fd, GETS, AT) for fd in range(3)] == [-ENOTTY] * 3
    tty = plain.open("/dev/tty", O_RDWR)
    assert plain.call("ioctl", tty, GETS, AT) == 0
    assert plain.call("ioctl", plain.open("/dev/null"), GETS, AT) == -ENOTTY


def test_the_window_has_80_columns_unless_the_world_says_more(box: Box) -> None:
    assert box.call("ioctl", 0, GWINSZ, AT) == 0
    assert unpack("<4H", box.peek(8, AT)) == (24, 80, 0, 0)
    child = job(box)
    assert foreground(box, child.task.tgid) == 0
    assert box.call("ioctl", 0, SWINSZ, box.poke(pack("<4H", 30, 100, 0, 0), AT)) == 0
    ignore(child, SIGWINCH)
    assert box.call("ioctl", 0, GWINSZ, AT) == 0
    assert unpack("<4H", box.peek(8, AT)) == (30, 100, 0, 0)


def test_the_foreground_group_is_one_of_the_session(box: Box) -> None:
    child, other = job(box), box.fork()
    assert other.call("setsid") == other.task.tgid
    assert (number(box, GPGRP), number(box, GSID)) == (1, 1)
    assert foreground(box, child.task.tgid) == 0
    assert number(box, GPGRP) == child.task.tgid
    assert foreground(child, other.task.tgid) == -EPERM
    assert foreground(child, 9999) == -ESRCH
    assert foreground(child, -1) == -EINVAL
    assert foreground(other, other.task.tgid) == -ENOTTY
    assert number(other, GPGRP) == -ENOTTY
    assert other.open("/dev/tty") == -ENXIO
    assert child.open("/dev/tty") >= 0


def test_who_reads_in_the_background_is_stopped(box: Box) -> None:
    child = job(box.fork())  # (init's own children count as orphaned: nobody would continue them)
    child.read(0, 1)
    assert has(child, SIGTTIN)


def test_a_background_read_that_nobody_could_stop_fails(box: Box) -> None:
    child = job(box)
    ignore(child, SIGTTIN)
    assert child.read(0, 1) == -EIO
    orphan = job(child)
    child.exit()
    assert orphan.read(0, 1) == -EIO


def test_only_with_tostop_must_the_background_be_silent(box: Box) -> None:
    child = job(box.fork())
    assert child.write(1, b"x") == 1
    assert box.call("ioctl", 0, GETS, AT) == 0
    settings = bytearray(box.peek(36, AT))
    settings[13] |= 1
    assert box.call("ioctl", 0, SETS, box.poke(bytes(settings), AT)) == 0
    ignore(child, SIGTTOU)
    assert child.write(1, b"y") == 1
    child.k.sighands[child.task.sighand].actions.clear()
    child.write(1, b"z")
    assert has(child, SIGTTOU)
    assert box.out == b"xy"


def test_the_keys_reach_the_foreground_group_alone(box: Box) -> None:
    first, second = job(box), job(box)
    foreground(box, first.task.tgid)
    box.k.door.press(SIGINT)
    scheduler._look_outside(box.k)
    assert (has(first, SIGINT), has(second, SIGINT), has(box, SIGINT)) == (True, False, False)


def test_a_key_comes_again_where_it_came_before(box: Box) -> None:
    child = job(box)
    foreground(box, child.task.tgid)
    before = box.k.snapshot()
    box.k.machine.clock += 100
    box.k.door.press(SIGINT)
    scheduler._look_outside(box.k)
    box.k.restore(before)
    child.task = box.k.tasks[child.task.tid]
    scheduler._look_outside(box.k)
    assert not has(child, SIGINT)
    box.k.machine.clock += 100
    scheduler._look_outside(box.k)
    assert has(child, SIGINT)
    box.task = box.k.tasks[1]


def test_control_z_stops_the_machine_itself_where_nobody_could_go_on(box: Box) -> None:
    door = box.k.door
    assert isinstance(door, Terminal)
    door.press(SIGTSTP)
    scheduler._look_outside(box.k)
    assert door.suspended == 1
    child = job(box)
    grandchild = job(child)
    foreground(box, grandchild.task.tgid)
    door.press(SIGTSTP)
    scheduler._look_outside(box.k)
    assert (door.suspended, has(grandchild, SIGTSTP)) == (1, True)


def test_without_isig_a_key_is_a_character(box: Box) -> None:
    assert box.call("ioctl", 0, GETS, AT) == 0
    settings = bytearray(box.peek(36, AT))
    settings[12] &= ~1
    assert box.call("ioctl", 0, SETS, box.poke(bytes(settings), AT)) == 0
    assert box.read(0, 10) == BLOCKED
    box.k.door.press(SIGINT)
    scheduler._look_outside(box.k)
    assert box.again() == 1
    assert box.peek(1) == b"\x03"


def test_a_new_session_takes_a_terminal_that_nobody_has(box: Box) -> None:
    leader = box.fork()
    leader.call("setsid")
    assert leader.call("ioctl", 0, SCTTY, 0) == -EPERM
    assert box.call("ioctl", 0, NOTTY, 0) == 0
    assert box.call("ioctl", 0, NOTTY, 0) == -ENOTTY
    assert box.fork().call("ioctl", 0, SCTTY, 0) == -EPERM
    assert leader.call("ioctl", 0, SCTTY, 0) == 0
    assert (number(leader, GSID), number(leader, GPGRP)) == (leader.task.tgid, leader.task.tgid)


def test_the_leader_s_end_hangs_up_the_foreground(box: Box) -> None:
    box.call("ioctl", 0, NOTTY, 0)
    leader = box.fork()
    leader.call("setsid")
    leader.call("ioctl", 0, SCTTY, 0)
    front, back = job(leader), job(leader)
    foreground(leader, front.task.tgid)
    leader.exit()
    assert (has(front, SIGHUP), has(back, SIGHUP)) == (True, False)
    assert number(back, GPGRP) == -ENOTTY
    console = box.k.terminals.peek(THE_CONSOLE)
    assert (console.session, console.foreground) == (0, 0)


def test_how_much_is_there_to_read(box: Box) -> None:
    reader, writer = box.pipe()
    box.write(writer, b"12345")
    assert number(box, FIONREAD, reader) == 5
    fd = box.open("/tmp/f", 0o102)
    box.write(fd, b"123")
    box.lseek(fd, 1, 0)
    assert number(box, FIONREAD, fd) == 2


def terminal_in_proc(box: Box, pid: int) -> list[int]:
    """tty_nr and tpgid of /proc/PID/stat."""
    return [int(field) for field in read(box, f"{pid}/stat").rsplit(b")", 1)[1].split()[4:6]]


def test_proc_tells_who_has_the_terminal_and_who_is_in_its_foreground(box: Box) -> None:
    child, other = job(box), box.fork()
    assert foreground(box, child.task.tgid) == 0
    console = 5 << 8 | 1
    assert terminal_in_proc(box, 1) == terminal_in_proc(box, child.task.tgid) == [console, child.task.tgid]
    assert other.call("setsid") == other.task.tgid
    assert terminal_in_proc(box, other.task.tgid) == [0, -1]
    child.exit()
    assert terminal_in_proc(box, child.task.tgid) == [console, child.task.tgid], "a zombie has it still"
    assert box.call("ioctl", 0, NOTTY, 0) == 0
    assert terminal_in_proc(box, 1) == [0, -1]
