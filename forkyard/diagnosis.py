"""What a student most likely did: from the facts of a death to a sentence in plain words.

Each rule looks at the facts and answers with its sentence, or with None if it isn't its case; the first answer counts.
The rules go from the special to the general.
"""

from __future__ import annotations

from forkyard.fault import Fault, signal_name

RET = 0x00008067  # jalr zero, 0(ra)
PAGE = 4096
_DATA = (
    ".byte .2byte .half .hword .short .4byte .word .long .int .8byte .dword .quad .octa "
    ".ascii .asciz .string .space .skip .zero .fill .incbin .float .single .double"
)
DATA = tuple(_DATA.split())
HIGHEST_USER = 1 << 38  # Sv39: user addresses are below (Privileged, "Sv39")
MUST_EXIT = "A program must always end with exit: put the number in a0, 93 (exit) in a7, then ecall."


def diagnose(fault: Fault) -> str:
    """One or two sentences: what happened in the program's own terms, and what to look at."""
    if fault.note:
        return fault.note
    for rule in RULES:
        answer = rule(fault)
        if answer:
            return answer
    return ""


def returned_from_start(fault: Fault) -> str | None:
    """`ret` in _start: ra is still the 0 that the kernel started with."""
    if fault.access != "fetch" or fault.pc != 0 or fault.x[1] != 0:
        return None
    places = [line for a in fault.symbols.function("_start") if fault.symbols.word(a) == RET
              for line in [fault.symbols.line(a)] if line]  # fmt: skip
    where = f" (the `ret` at {', '.join(map(str, places[:3]))})" if places else ""
    return (
        f"It jumped to address 0, and ra is 0: most likely a `ret` in _start{where}. _start is where execution begins "
        f"and not a function: nobody called it, so there is nobody to return to. {MUST_EXIT}"
    )


def ran_off_the_end(fault: Fault) -> str | None:
    """Execution passed the last instruction of the machine code."""
    if fault.address != fault.pc or not (fault.illegal or fault.access == "fetch"):
        return None
    end = fault.symbols.code_end(fault.pc)
    if end is None or fault.pc - end > 64:
        return None
    last = fault.symbols.line(end - 4)
    where = f": after {last} there is no further instruction" if last else ""
    return f"The program ran off its end{where}, and the processor went on into what lies behind. {MUST_EXIT}"


def jumped_to_null(fault: Fault) -> str | None:
    """A call through a null pointer, or a return address that was overwritten with 0."""
    if fault.access != "fetch" or fault.pc >= PAGE:
        return None
    return (
        f"It jumped to address {fault.pc:#x}, where there never is any code: a function pointer that is null, or "
        "a return address that was lost. Did a function call another one without keeping its own ra on the stack?"
    )


def jumped_into_data(fault: Fault) -> str | None:
    """A fetch from memory that may be read but not executed."""
    region = fault.region(fault.pc)
    if fault.access != "fetch" or region is None or "x" in region.permissions:
        return None
    place = described(fault, fault.pc)
    return (
        f"It jumped into {place}, which may not be executed. A return address on the stack was overwritten, "
        "or a register that should hold a function's address holds a variable's."
    )


def misaligned_jump(fault: Fault) -> str | None:
    """A jump to an address that is no multiple of 4."""
    if fault.access != "fetch" or not fault.misaligned:
        return None
    return (
        f"It jumped to {fault.address:#x}, which is no multiple of 4: every instruction is 4 bytes long, and aligned."
    )


def jumped_nowhere(fault: Fault) -> str | None:
    """Any other fetch that failed."""
    if fault.access != "fetch":
        return None
    return f"It jumped to {fault.pc:#x}, where nothing is mapped: a wild pointer, or an overwritten return address."


def data_in_the_way(fault: Fault) -> str | None:
    """Not an instruction, but a directive such as .byte, is what the source has there."""
    words = [word for word in fault.source.split() if not word.endswith(":")]
    if not fault.illegal or not words or words[0] not in DATA:
        return None
    return (
        f"The data of `{words[0]}` stands in the way of execution: the processor takes whatever comes next for an "
        "instruction. Data belongs into .data or .rodata, or where no execution comes by."
    )


def illegal(fault: Fault) -> str | None:
    """A word that is no instruction of this machine."""
    if not fault.illegal or fault.word is None:
        return None
    word = fault.word
    if word == 0:
        return "It executed a word of zeros, which is never an instruction: it ran or jumped into data."
    if word & 3 != 3:
        kind = "a compressed (16-bit) instruction"
    elif word & 0x7F in (0x07, 0x27, 0x43, 0x47, 0x4B, 0x4F, 0x53):
        kind = "a floating-point instruction"
    else:
        return f"{word:#010x} is no instruction of this machine (RV64IMA): most likely it ran or jumped into data."
    return f"{word:#010x} looks like {kind}, which this machine (RV64IMA) lacks: build with -march=rv64ima -mabi=lp64."


def breakpoint_hit(fault: Fault) -> str | None:
    """ebreak without a debugger."""
    return "It met `ebreak`, a breakpoint, and no debugger is there to take over." if fault.signal == 5 else None


def misaligned_atomic(fault: Fault) -> str | None:
    """lr, sc and the AMOs need aligned addresses; other loads and stores don't."""
    if not fault.misaligned:
        return None
    return f"An atomic instruction needs an aligned address (4 bytes for .w, 8 for .d), and {fault.address:#x} is not."


def stack_overflow(fault: Fault) -> str | None:
    """The stack has grown as far as it may, or sp has left it."""
    stack, sp = fault.stack(), fault.x[2]
    if not fault.access or stack is None or abs(fault.address - sp) > 1 << 20 or not sp < stack.start + PAGE:
        return None
    if not stack.start - (16 << 20) <= sp or fault.address >= stack.start + PAGE:
        return None
    used = (stack.end - stack.start) >> 10
    return (
        f"The stack is full: sp ({sp:#x}) has come down {used} KiB and may go no further. Most often this is a "
        "recursion that never ends, or a function that takes space from sp and never gives it back."
    )


def null_pointer(fault: Fault) -> str | None:
    """A load or store in the first page."""
    if not fault.access or fault.address >= PAGE:
        return None
    verb = "Reading" if fault.access == "load" else "Writing"
    where = f"address 0 + {fault.address}" if fault.address else "address 0"
    return (
        f"{verb} through a null pointer: there never is any memory at {where}. The base register was never set, "
        "or holds the 0 (or the small number) that a call has returned."
    )


def error_as_pointer(fault: Fault) -> str | None:
    """-1..-4095 used as an address: an errno that was not looked at."""
    if not fault.access or (1 << 64) - fault.address > PAGE:
        return None
    negative = fault.address - (1 << 64)
    return (
        f"The address is {negative}: that looks like an error code. A system call failed and returned it in a0, "
        "and it was used as a pointer without a look."
    )


def no_address(fault: Fault) -> str | None:
    """An address that no user mapping can have."""
    if not fault.access or fault.address < HIGHEST_USER:
        return None
    return (
        f"{fault.address:#x} is no address that a program can have (they are below {HIGHEST_USER:#x}): a wild pointer."
    )


def forbidden(fault: Fault) -> str | None:
    """Memory that is there but may not be used in this way."""
    region = fault.region(fault.address)
    if not fault.access or region is None:
        return None
    place = described(fault, fault.address)
    if fault.access == "store" and "x" in region.permissions:
        return f"It wrote into {place}: code can be read and executed, but never written."
    if fault.access == "store":
        return f"It wrote into {place}: constants can only be read. What changes belongs into .data or .bss."
    return f"It read {place}, which may not be read."


def wild_pointer(fault: Fault) -> str | None:
    """An address where nothing is mapped."""
    if not fault.access:
        return None
    verb = "read from" if fault.access == "load" else "write to"
    near = [r for r in fault.regions if 0 <= fault.address - r.end < 1 << 20]
    past = f"{fault.address - near[-1].end} bytes past" if near and fault.address > near[-1].end else "just past"
    beyond = f", {past} the end of {near[-1].name or 'the memory before'}" if near else ""
    return (
        f"It tried to {verb} {fault.address:#x}, where nothing is mapped{beyond}: a pointer that was never set, "
        "or an index too large."
    )


def sent(fault: Fault) -> str | None:
    """A signal that somebody sent."""
    if fault.signal == 13:
        return "It wrote to a pipe that nobody reads any more."
    if fault.sender == fault.pid:
        return f"It sent itself {signal_name(fault.signal)}."
    return f"Process {fault.sender} sent it {signal_name(fault.signal)}." if fault.sender else None


def described(fault: Fault, address: int) -> str:
    """The memory at an address in words: `the constants (.rodata), at message+0x4`."""
    region = fault.region(address)
    name = fault.symbols.name(address)
    section = fault.symbols.section(address)
    if region is not None and region.name in ("[stack]", "[heap]"):
        what = f"the {region.name[1:-1]}"
    elif region is not None and "x" in region.permissions:
        what = f"the machine code ({section or '.text'})"
    elif region is not None and "w" not in region.permissions:
        what = f"the constants ({section or '.rodata'})"
    else:
        what = f"the variables ({section or '.data'})"
    return f"{what}, at {name}" if name else what


RULES = (
    returned_from_start,
    ran_off_the_end,
    jumped_to_null,
    misaligned_jump,
    jumped_into_data,
    jumped_nowhere,
    data_in_the_way,
    illegal,
    breakpoint_hit,
    misaligned_atomic,
    error_as_pointer,
    null_pointer,
    stack_overflow,
    no_address,
    forbidden,
    wild_pointer,
    sent,
)
