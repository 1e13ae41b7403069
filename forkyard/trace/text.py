"""One line of text per event, in columns:

    retired  task  kind     what happened
       1204     3  fault    cow-copy: store to 0x11008 (counter) at pc 0x10158 (child+0x8): frame 0x80017 -> 0x8001c

Numbers are decimal for counts and pids, hexadecimal for addresses, frames and register values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from forkyard.fault import signal_name
from forkyard.trace.kinds import KIND_OF
from kernel import errno, events
from kernel.clone import CLONE_THREAD
from kernel.syscalls.numbers import name_of
from kernel.syscalls.table import TABLE, signed64
from vm import disasm
from vm.isa.registers import X_NAMES

HEADER = f"{'retired':>12} {'task':>5}  {'kind':<8} what happened\n"
NameOf = Callable[[int, int], "str | None"]  # (tid, address) → symbol
_NAMES = {value: name for name, value in sorted(vars(errno).items()) if name[0] == "E" and isinstance(value, int)}


class TextFormat:
    """Formats events; `name_of` finds the symbol of an address in a task's program."""

    def __init__(self, name_of: NameOf) -> None:
        self.name_of = name_of
        self._words: dict[tuple[int, int], str] = {}

    def line(self, event: Any) -> str:
        """The event's line, with its newline."""
        kind = type(event)
        what = FORMATS[kind](self, event)
        return f"{event.at:>12} {event.tid:>5}  {KIND_OF[kind]:<8} {what}\n"

    def place(self, tid: int, address: int) -> str:
        """`0x10158 (child+0x8)`, or the number alone."""
        name = self.name_of(tid, address)
        return f"{address:#x} ({name})" if name else f"{address:#x}"

    def insn(self, e: events.Insn) -> str:
        """`0000000000010158 <child+0x8>: sb zero, 0(a0)    [0x11008] 0x2a -> 0x0`."""
        key = e.pc, e.word
        code = self._words.get(key)
        if code is None:
            name = self.name_of(e.tid, e.pc)
            where = f"{e.pc:x} <{name}>" if name else f"{e.pc:x}"
            text = disasm.text(e.word, e.pc, lambda address: self.name_of(e.tid, address))
            mnemonic, _, operands = text.partition("\t")
            code = f"{where + ':':<28} {mnemonic:<8} {operands.replace(',', ', '):<24}"
            if len(self._words) < 100_000:
                self._words[key] = code
        changes = [f"{X_NAMES[n]} {old:#x} -> {new:#x}" for n, old, new in e.registers]
        changes += [f"[{va:#x}] {old:#x} -> {new:#x}" for va, _, old, new in e.memory]
        return f"{code} {', '.join(changes)}".rstrip()


def _syscall_enter(f: TextFormat, e: events.SyscallEnter) -> str:
    names = TABLE[e.number].arguments if e.number in TABLE else ()
    values = [_argument(name, value) for name, value in zip(names, e.arguments, strict=False)]
    return f"{e.name or f'syscall_{e.number}'}({', '.join(values)})"


def _argument(name: str, value: int) -> str:
    """A pointer in hexadecimal, a number as it is meant: small and negative ones in decimal."""
    signed = signed64(value)
    if name.endswith("*"):
        return f"{name[:-1]}={value:#x}" if value else f"{name[:-1]}=NULL"
    return f"{name}={signed}" if -4096 < signed < 1 << 20 else f"{name}={value:#x}"


def _syscall_exit(f: TextFormat, e: events.SyscallExit) -> str:
    if e.result is None:
        return f"{e.name} -> (does not return)"
    result = signed64(e.result & ((1 << 64) - 1))
    if -4096 < result < 0:
        return f"{e.name} -> {result} {_NAMES.get(-result, '')}".rstrip()
    return f"{e.name} -> {result if result < 1 << 20 else hex(result)}"


def _unknown_syscall(f: TextFormat, e: events.UnknownSyscall) -> str:
    return f"{name_of(e.number)}: there is no such system call here: ENOSYS"


def _page_fault(f: TextFormat, e: events.PageFault) -> str:
    by = "by the kernel" if e.kernel else f"at pc {f.place(e.tid, e.pc)}"
    frames = f": frame {e.old_ppn:#x} -> {e.ppn:#x}" if e.old_ppn not in (0, e.ppn) else f": frame {e.ppn:#x}"
    return f"{e.kind}: {e.access} to {f.place(e.tid, e.va)} {by}{frames if e.ppn else ''}"


def _frame_shared(f: TextFormat, e: events.FrameShared) -> str:
    return f"frame {e.ppn:#x} shared: {e.holders} holders"


def _frame_released(f: TextFormat, e: events.FrameReleased) -> str:
    return f"frame {e.ppn:#x} released: {f'{e.holders} left' if e.holders else 'free'}"


def _fork(f: TextFormat, e: events.Fork) -> str:
    if e.flags & CLONE_THREAD:
        return f"clone: thread {e.child}, all memory shared (flags {e.flags:#x})"
    return f"fork: child {e.child}, {e.shared} frames shared (flags {e.flags:#x})"


def _exec(f: TextFormat, e: events.Exec) -> str:
    taken = f"; thread {e.caller} called it, and is {e.tid} now" if e.caller != e.tid else ""
    return f"exec {_quoted(e.path)} [{', '.join(map(_quoted, e.argv))}]{taken}"


def _thread_exit(f: TextFormat, e: events.ThreadExit) -> str:
    return f"thread {e.tid} of process {e.tgid} ended: {status(e.status)}"


def _exit(f: TextFormat, e: events.Exit) -> str:
    return f"process {e.tgid} ended: {status(e.status)}; a zombie until its parent waits"


def _death(f: TextFormat, e: events.Death) -> str:
    name = e.comm.decode(errors="replace")
    return f"process {e.tgid} ({name}) dies of {signal_name(e.signal)} at pc {f.place(e.tid, e.pc)}"


def _reap(f: TextFormat, e: events.Reap) -> str:
    return f"process {e.pid} reaped: {status(e.status)}; its pid is free"


def _reparent(f: TextFormat, e: events.Reparent) -> str:
    return f"process {e.pid} has lost its parent {e.old_parent}: its parent is {e.new_parent} now"


def _switch(f: TextFormat, e: events.Switch) -> str:
    return f"task {e.tid} runs" + (f", after {e.previous}" if e.previous else "")


def _block(f: TextFormat, e: events.Block) -> str:
    until = "" if e.deadline is None else f", until {e.deadline} ns at most"
    return f"waits for {' or '.join(map(wait_key, e.keys))}{until}"


def _wake(f: TextFormat, e: events.Wake) -> str:
    return f"woken by {wait_key(e.key)}"


def _signal(f: TextFormat, e: events.Signal) -> str:
    by = f"by {e.sender}" if e.sender else "by the kernel"
    return f"{signal_name(e.signal)} sent to {e.pid} {by}: {e.action}"


def status(word: int) -> str:
    """A wait status word as wait(2) reads it: `exit 3`, `killed by SIGSEGV`."""
    low = word & 0x7F
    if low == 0:
        return f"exit {word >> 8 & 0xFF}"
    if word & 0xFF == 0x7F:
        return f"stopped by {signal_name(word >> 8 & 0xFF)}"
    return "continued" if word == 0xFFFF else f"killed by {signal_name(low)}"


_WAITS = {
    "child": "a child of process",
    "console": "input",
    "timer": "the clock",
    "signal": "a signal",
    "vfork": "exec or the end of process",
}
_FUTEXES = {
    "futex": "the futex at {1:#x}",
    "futex-mm": "the futex at {1:#x}",
    "futex-file": "the futex at byte {1:#x} of the shared mapping of inode {0}",
}


def wait_key(key: tuple[Any, ...]) -> str:
    """What a task waits for, in words: ("child", 7) is `child of 7`."""
    if key[0] in _FUTEXES:
        return _FUTEXES[key[0]].format(*key[1:])
    return " ".join([_WAITS.get(key[0], str(key[0])), *map(str, key[1:])])


def _quoted(data: bytes) -> str:
    """Bytes as a C string."""
    text = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in data[:200])
    return f'"{text}"' + ("..." if len(data) > 200 else "")


FORMATS: dict[type[Any], Callable[[TextFormat, Any], str]] = {
    events.SyscallEnter: _syscall_enter,
    events.SyscallExit: _syscall_exit,
    events.UnknownSyscall: _unknown_syscall,
    events.PageFault: _page_fault,
    events.FrameShared: _frame_shared,
    events.FrameReleased: _frame_released,
    events.Fork: _fork,
    events.Exec: _exec,
    events.ThreadExit: _thread_exit,
    events.Exit: _exit,
    events.Death: _death,
    events.Reap: _reap,
    events.Reparent: _reparent,
    events.Switch: _switch,
    events.Block: _block,
    events.Wake: _wake,
    events.Signal: _signal,
    events.Insn: TextFormat.insn,
}
