"""Processes on strings: a test says which one does what next, and the real machine and kernel do it.

The puppet's program has one instruction of each kind that is needed, each followed by a jump to itself. `Puppets` puts
a process on the hart, points its pc and registers at one of them, and lets exactly that much run: page faults, traps,
signals and all.
"""

from __future__ import annotations

from typing import Any

from kernel import scheduler
from kernel.kernel import Kernel
from kernel.task import RUNNING
from tests.kernel.machines import Part, R, W, X, elf, machine
from vm.isa import TABLE

TEXT, RODATA, DATA = 0x10000, 0x11000, 0x12000
DATA_SIZE = 0x1F40  # the file's part of .data ends within its second page
DATA_END = DATA + 0x5000  # .bss goes on to here, in the middle of nothing
HEAP = DATA_END

_SPIN = TABLE["jal"].encode()
_CODE = {
    "spin": _SPIN,
    "ecall": TABLE["ecall"].encode(),
    "load": TABLE["ld"].encode(rd=11, rs1=10),
    "store": TABLE["sd"].encode(rs2=11, rs1=10),
}
_ADDRESS = {name: TEXT + 8 * index for index, name in enumerate(_CODE)}
_WORDS = b"".join(word.to_bytes(4, "little") + _SPIN.to_bytes(4, "little") for word in _CODE.values())
RODATA_BYTES = bytes(range(256)) * 16
DATA_BYTES = bytes((index * 7 + 3) & 0xFF for index in range(DATA_SIZE))
# Where paths and vectors for execve lie, in .rodata.
PATH_AT = RODATA + 0x800
PUPPET = elf(
    [
        Part(TEXT, _WORDS, R | X),
        Part(RODATA, RODATA_BYTES[:0x800] + b"/bin/puppet\0" + RODATA_BYTES[0x80C:], R),
        Part(DATA, DATA_BYTES, R | W, DATA_END - DATA),
    ]
)
SYS = {
    "exit": 93, "exit_group": 94, "kill": 129, "uname": 160, "getpid": 172, "getppid": 173, "brk": 214, "clone": 220,
    "execve": 221, "wait4": 260, "sched_yield": 124, "ftruncate": 46, "openat": 56, "close": 57, "write": 64,
    "read": 63, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226, "msync": 227, "mlock": 228,
    "munlock": 229, "mlockall": 230, "munlockall": 231, "mincore": 232, "madvise": 233, "memfd_create": 279,
    "pidfd_open": 434, "pidfd_send_signal": 424, "pidfd_getfd": 438, "ppoll": 73, "pipe2": 59,
    "setpgid": 154, "getpgid": 155, "getsid": 156, "setsid": 157, "waitid": 95, "prctl": 167,
}  # fmt: skip
SIGCHLD = 17
A0, A7 = 10, 17


class Puppets:
    """A machine whose processes do nothing on their own. Processes are named by pid."""

    def __init__(self, **config: Any) -> None:
        self.k: Kernel = machine({"puppet": PUPPET}, [b"puppet"], **config)

    def alive(self, pid: int) -> bool:
        return pid in self.k.tasks

    def call(self, pid: int, name: str, *arguments: int) -> int | None:
        """The process makes a system call: its signed result, or None if it has none (it ended, or waits)."""
        return self.call_number(pid, SYS[name], *arguments)

    def call_number(self, pid: int, number: int, *arguments: int) -> int | None:
        """The same by the call's number, which needn't be one that exists."""
        x = self.k.tasks[pid].hart.x
        for index in range(6):
            x[A0 + index] = (arguments[index] if index < len(arguments) else 0) & (1 << 64) - 1
        x[A7] = number
        self._go(pid, "ecall")
        return self.result(pid)

    def result(self, pid: int) -> int | None:
        """What a0 says, if the process isn't gone or waiting."""
        if not self.alive(pid) or self.k.tasks.peek(pid).pending is not None:
            return None
        value = int(self.k.tasks.peek(pid).hart.x[A0])
        return value - (1 << 64) if value >> 63 else value

    def load(self, pid: int, va: int) -> int | None:
        """The 64-bit word that the process finds at `va`; None if that ended it."""
        self.k.tasks[pid].hart.x[A0] = va
        self._go(pid, "load")
        return int(self.k.tasks.peek(pid).hart.x[A0 + 1]) if self.alive(pid) else None

    def store(self, pid: int, va: int, value: int) -> bool:
        """The process stores a 64-bit word. False if that ended it."""
        x = self.k.tasks[pid].hart.x
        x[A0], x[A0 + 1] = va, value
        self._go(pid, "store")
        return self.alive(pid)

    def fork(self, pid: int) -> int:
        """The child's pid, or -errno."""
        result = self.call(pid, "clone", SIGCHLD)
        assert result is not None
        return result

    def execute(self, pid: int, path: int = PATH_AT) -> int:
        """execve of the string at `path`: 0, or -errno."""
        result = self.call(pid, "execve", path, 0, 0)
        assert result is not None
        return 0 if self.k.tasks.peek(pid).hart.pc == TEXT else result

    def run(self, pid: int, instructions: int = 1) -> None:
        """Lets a process go on from where it is."""
        self.take_the_hart(pid)
        scheduler._run_current(self.k, self.k.machine.retired + instructions)

    def take_the_hart(self, pid: int) -> None:
        """It is this process's turn, with a fresh slice."""
        k = self.k
        assert k.tasks.peek(pid).state == RUNNING, f"{pid} can't run now"
        if k.current:
            k.run_queue.append(k.current)
            k.current = 0
        k.run_queue.remove(pid)
        scheduler._switch(k, k.tasks[pid])

    def _go(self, pid: int, what: str) -> None:
        self.k.tasks[pid].hart.pc = _ADDRESS[what]
        self.run(pid)
