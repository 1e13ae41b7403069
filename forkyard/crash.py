"""Tells a person about a process that a signal has ended: which one, where, why, and what most likely went wrong.

Every process that dies of its own fault is told about; other deaths only if nobody in the machine could see them.
"""

from __future__ import annotations

import os

from forkyard.diagnosis import diagnose
from forkyard.fault import Fault, Region, signal_name
from forkyard.images import Images
from forkyard.say import say
from forkyard.symbols import Line
from kernel.events import Death
from kernel.kernel import Kernel
from vm.isa.registers import X_NAMES
from vm.machine import Machine
from vm.mmu import PageFault
from vm.trap import Cause

FAULTS = (4, 5, 7, 8, 11)  # SIGILL SIGTRAP SIGBUS SIGFPE SIGSEGV: what a program brings on itself
_FETCH = (Cause.INSTRUCTION_MISALIGNED, Cause.FETCH_ACCESS, Cause.FETCH_PAGE)
_LOAD = (Cause.LOAD_MISALIGNED, Cause.LOAD_ACCESS, Cause.LOAD_PAGE)
_STORE = (Cause.STORE_MISALIGNED, Cause.STORE_ACCESS, Cause.STORE_PAGE)
_MISALIGNED = (Cause.INSTRUCTION_MISALIGNED, Cause.LOAD_MISALIGNED, Cause.STORE_MISALIGNED)


def tell(kernel: Kernel, death: Death) -> None:
    """Writes the message, while the process's memory can still be looked at."""
    if (death.signal in FAULTS and death.cause >= 0) or death.note or death.tgid == MAIN:
        say("\n".join(message(facts(kernel, Images(kernel), death))))


MAIN = 2  # the main program's pid: init's first child


def facts(kernel: Kernel, images: Images, death: Death) -> Fault:
    """What is known about a death."""
    task = kernel.tasks.peek(death.tid)
    cause = death.cause
    access = "fetch" if cause in _FETCH else "load" if cause in _LOAD else "store" if cause in _STORE else ""
    fault = Fault(
        pid=death.tgid,
        name=death.comm.decode("utf-8", "backslashreplace"),
        signal=death.signal,
        access=access,
        illegal=cause == Cause.ILLEGAL,
        misaligned=cause in _MISALIGNED,
        pc=death.pc,
        address=death.address,
        word=_word(kernel.machine, task.hart.satp, death.pc),
        x=tuple(task.hart.x[:32]),
        regions=_regions(kernel, task.mm),
        symbols=images.symbols(death.tid),
        sender=death.sender,
        note=death.note,
    )
    return fault._replace(source=_source(fault))


def _word(machine: Machine, satp: int, pc: int) -> int | None:
    """The instruction at `pc`, seen without touching A bits or the TLB; None if none can be fetched there."""
    try:
        return machine.ram.read32(machine.mmu.check(satp, pc & ~3, "fetch"))
    except PageFault:
        return None


def _regions(kernel: Kernel, mm_id: int) -> tuple[Region, ...]:
    """The process's mappings, as /proc/PID/maps shows them."""
    vmas = kernel.mms.peek(mm_id).vmas if mm_id in kernel.mms else []
    return tuple(
        Region(
            v.start,
            v.end,
            "".join(letter if v.prot & bit else "-" for bit, letter in ((1, "r"), (2, "w"), (4, "x"))),
            v.name.decode("utf-8", "backslashreplace"),
        )
        for v in vmas
    )


def message(fault: Fault) -> list[str]:
    """The lines for stderr, without their prefix."""
    lines = [f"process {fault.pid} ({fault.name}) was killed by {signal_name(fault.signal)} (signal {fault.signal})"]
    if fault.access or fault.illegal or fault.signal == 5:
        lines += [f"  where: pc {_place(fault, fault.pc)}", *_caller(fault)]
        lines += [f"  source: {fault.source[:160]}"] if fault.source else []
        lines += _instruction(fault)
    if fault.access in ("load", "store"):
        lines.append(f"  it tried to {fault.access} at address {fault.address:#x}")
    advice = diagnose(fault)
    return [*lines, *(f"  {line}" for line in wrapped(advice))] if advice else lines


def _place(fault: Fault, address: int) -> str:
    """An address of code with its symbol and source line."""
    name, line = fault.symbols.name(address), _line(fault, address)
    return f"{address:#x}" + (f", in {name}" if name else "") + (f", {line}" if line else "")


def _line(fault: Fault, address: int) -> Line | None:
    """The source line of an address of code. Data between code has none: it is not taken for the line before it."""
    symbols = fault.symbols
    if symbols.name(address) is None or (fault.illegal and not symbols.begins_line(address)):
        return None
    return symbols.line(address)


def _caller(fault: Fault) -> list[str]:
    """After a jump to nowhere the pc says nothing; ra tells where the last call was made."""
    call = fault.x[1] - 4
    if fault.access != "fetch" or fault.symbols.name(fault.pc) or not fault.symbols.name(call):
        return []
    return [f"  the last call was made at {_place(fault, call)}"]


def _source(fault: Fault) -> str:
    """The line of the source itself, if its file is at hand."""
    line = _line(fault, fault.pc)
    if line is None or not os.path.isfile(line.file):  # a name in a file we were given: it may be a pipe or a device
        return ""
    try:
        with open(line.file, encoding="utf-8", errors="replace") as file:
            for number, text in enumerate(file, 1):
                if number == line.number:
                    return text.strip()
    except OSError:
        pass
    return ""


def _instruction(fault: Fault) -> list[str]:
    """The instruction, and what its registers hold."""
    if fault.word is None or fault.illegal or fault.access == "fetch":
        return []
    from vm.disasm import text
    from vm.isa import decode

    found = decode(fault.word)
    if found is None:
        return []
    fields = found[1]
    used = [fields[name] for name in ("rs1", "rs2") if fields.get(name)]
    values = ", ".join(f"{X_NAMES[n]} = {fault.x[n]:#x}" for n in dict.fromkeys(used))
    code = text(fault.word, fault.pc, fault.symbols.name).replace("\t", " ").replace(",", ", ")
    return [f"  instruction: {code}" + (f", with {values}" if values else "")]


def wrapped(text: str, width: int = 100) -> list[str]:
    """`text` in lines of at most `width` characters, broken between words."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
