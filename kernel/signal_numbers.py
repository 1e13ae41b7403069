"""The signals' numbers and what each does to a process that has no handler for it (signal(7), Linux/riscv64)."""

from __future__ import annotations

SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1 = range(1, 11)
SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP = range(11, 21)
SIGTTIN, SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR, SIGSYS = range(21, 32)
FIRST_REALTIME, LAST_SIGNAL = 32, 64

SIG_DFL, SIG_IGN = 0, 1  # instead of a handler's address
SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO, SA_EXPOSE_TAGBITS = 1, 2, 4, 0x800
SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_RESETHAND = 0x08000000, 0x10000000, 0x40000000, 0x80000000

_IGNORED = (SIGCHLD, SIGCONT, SIGURG, SIGWINCH)
_STOP = (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU)
_CORE = (SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS)
STOP_BITS = sum(1 << n - 1 for n in _STOP)
CONTINUE_BIT, KILL_BIT = 1 << SIGCONT - 1, 1 << SIGKILL - 1
UNBLOCKABLE = KILL_BIT | 1 << SIGSTOP - 1
SYNCHRONOUS = sum(1 << n - 1 for n in (SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS))  # come before all others


def name(signal: int) -> str:
    """ "SIGSEGV" for 11; real-time signals are called as strace does: "SIGRT_2" for 34."""
    if signal >= 32:
        return f"SIGRT_{signal - 32}"
    return next(key for key, value in globals().items() if key.startswith("SIG") and value == signal)


def default_action(signal: int) -> str:
    """ "ignore", "stop", "core" or "terminate"; SIGCONT is "continue"."""
    if signal == SIGCONT:
        return "continue"
    if signal in _IGNORED:
        return "ignore"
    if signal in _STOP:
        return "stop"
    return "core" if signal in _CORE else "terminate"
