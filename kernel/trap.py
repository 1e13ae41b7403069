"""A trap's cause → what the kernel does: a system call, a page fault to resolve, or a signal for the program.

Codes are Linux's for RISC-V (arch/riscv/kernel/traps.c, asm-generic/siginfo.h).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import fault, signals
from kernel.signal_numbers import SIGBUS, SIGILL, SIGSEGV, SIGTRAP
from kernel.syscalls import table
from vm.trap import Cause, Trap

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

ILL_ILLOPC = 1
TRAP_BRKPT = 1
BUS_ADRALN, BUS_ADRERR = 1, 2

_ACCESS = {Cause.LOAD_PAGE: "load", Cause.STORE_PAGE: "store", Cause.FETCH_PAGE: "fetch"}

# cause → (signal, si_code, is si_addr the trap's tval rather than its pc?)
_SIGNALS = {
    Cause.INSTRUCTION_MISALIGNED: (SIGBUS, BUS_ADRALN, True),
    Cause.FETCH_ACCESS: (SIGSEGV, fault.SEGV_ACCERR, True),
    Cause.ILLEGAL: (SIGILL, ILL_ILLOPC, False),
    Cause.BREAKPOINT: (SIGTRAP, TRAP_BRKPT, False),
    Cause.LOAD_MISALIGNED: (SIGBUS, BUS_ADRALN, True),
    Cause.LOAD_ACCESS: (SIGSEGV, fault.SEGV_ACCERR, True),
    Cause.STORE_MISALIGNED: (SIGBUS, BUS_ADRALN, True),
    Cause.STORE_ACCESS: (SIGSEGV, fault.SEGV_ACCERR, True),
}


def handle(k: Kernel, t: Task, trap: Trap) -> None:
    """Does what a trap of the current task calls for. The task may sleep or be gone afterwards."""
    cause = trap.cause
    traps = k.stats.traps
    traps[cause] = traps.get(cause, 0) + 1
    if cause == Cause.ECALL:
        table.dispatch(k, t)
        return
    access = _ACCESS.get(cause)
    if access is not None:
        refusal = fault.resolve(k, t, trap.tval, access)
        if refusal is not None:
            signals.force(k, t, refusal.signal, refusal.code, trap.tval, cause, refusal.note)
        return
    signal, code, from_tval = _SIGNALS[cause]
    signals.force(k, t, signal, code, trap.tval if from_tval else trap.pc, cause)
