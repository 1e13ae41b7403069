"""The frame that a handler runs on, and the way back: Linux/riscv64's struct rt_sigframe, byte for byte.

    sp →    0  siginfo                                128 bytes (siginfo.py)
          128  uc_flags 0, uc_link 0
          144  uc_stack        the alternate stack     24 bytes (signal_stack.py)
          168  uc_sigmask      blocked signals before; 120 bytes of room behind it
          304  sc_regs         pc, ra, sp, ... t6      32 words
          560  FP state        528 bytes: without F and D all zero, which is also the end of the list of extensions

The handler gets a0 = number, a1 = &siginfo, a2 = &ucontext, and returns to a page with `li a7, rt_sigreturn; ecall`.
On Linux that page is in the vDSO. There is none here, so AT_SYSINFO_EHDR isn't given; the page is called [vdso] anyway,
lies just above the stack, and has a frame only once it was used. Source: arch/riscv/kernel/signal.c.
"""

from __future__ import annotations

from struct import pack, unpack_from
from typing import TYPE_CHECKING

from kernel import signal_stack
from kernel.errno import EFAULT, SysError
from kernel.mm import PROT_EXEC, PROT_READ, SIGNAL_TRAMPOLINE, STACK_TOP, Vma
from kernel.signal_numbers import SA_NODEFER, SA_ONSTACK
from kernel.user_memory import copy_in, copy_out
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.siginfo import Info
    from kernel.task import Action, Task

TRAMPOLINE = Vma(STACK_TOP, STACK_TOP + PAGE, PROT_READ | PROT_EXEC, SIGNAL_TRAMPOLINE, 0, 0, b"[vdso]")

UCONTEXT, STACK, MASK, REGISTERS, FLOATS, FRAME_SIZE = 128, 144, 168, 304, 560, 1088
_FLOATS_SIZE = FRAME_SIZE - FLOATS
_RESERVED = 516  # in the FP state: from here to the end must be 0 when the handler returns
RA, SP, A0 = 1, 2, 10


def push(k: Kernel, t: Task, info: Info, action: Action) -> None:
    """The task's next instruction is the handler's first. SysError(EFAULT) if its stack has no room for the frame."""
    x = t.hart.x
    mask = t.blocked if t.saved_mask is None else t.saved_mask
    sp = _place(t, action)
    context = pack("<QQ", 0, 0) + signal_stack.describe(t, x[SP]) + pack("<Q", mask)
    registers = pack("<32Q", t.hart.pc, *x[1:32])
    frame = (info.raw + context).ljust(REGISTERS, b"\0") + registers + bytes(_FLOATS_SIZE)
    copy_out(k, t, sp, frame)
    signal_stack.disarm(t)
    t.hart.pc = action.handler & ~1  # as the hardware reads sepc
    t.hart.clear_reservation()
    x[RA], x[SP] = TRAMPOLINE.start, sp
    x[A0], x[A0 + 1], x[A0 + 2] = info.signal, sp, sp + UCONTEXT
    t.saved_mask = None
    own = 0 if action.flags & SA_NODEFER else 1 << info.signal - 1
    _block(k, t, t.blocked | action.mask | own)


def _place(t: Task, action: Action) -> int:
    sp = int(t.hart.x[SP])
    if signal_stack.holds(t, sp) and not signal_stack.holds(t, sp - FRAME_SIZE):
        raise SysError(EFAULT)  # the alternate stack is full
    if action.flags & SA_ONSTACK:
        sp = signal_stack.enter(t, sp)
    return (sp - FRAME_SIZE & -16) & (1 << 64) - 1


def pop(k: Kernel, t: Task) -> None:
    """rt_sigreturn: everything as the frame at sp says. SysError(EFAULT) if it isn't one."""
    x = t.hart.x
    frame = copy_in(k, t, x[SP], FRAME_SIZE)
    _block(k, t, unpack_from("<Q", frame, MASK)[0])
    pc, *registers = unpack_from("<32Q", frame, REGISTERS)
    for number, value in enumerate(registers, 1):
        x[number] = value
    t.hart.pc = pc & ~1
    t.hart.clear_reservation()
    if any(frame[FLOATS + _RESERVED : FLOATS + _FLOATS_SIZE]):
        raise SysError(EFAULT)
    try:
        signal_stack.change(t, x[SP], frame[STACK : STACK + signal_stack.SIZE])
    except SysError:
        return  # it stays as it is, as on Linux


def _block(k: Kernel, t: Task, mask: int) -> None:
    from kernel.signals import set_blocked

    set_blocked(k, t, mask)
