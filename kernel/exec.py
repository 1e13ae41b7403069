"""execve: the process stays, its program is another.

The new address space is built whole, beside the old one; what fails on the way gives it back and leaves the caller as
it was. The last lines of `execve` commit, and nothing in them can fail. pid, parent, working directory and open files
(but for those marked close-on-exec) stay. Of several threads only the caller goes on, and it is the leader then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel import (
    credentials,
    fault,
    initial_stack,
    lifecycle,
    limits,
    memory_limits,
    mm,
    pagetable,
    placement,
    program_image,
    signal_frame,
)
from kernel.errno import E2BIG, ELOOP, ENOENT, ENOEXEC, ENOMEM, SysError
from kernel.fs import api as fs
from kernel.fs.constants import S_ISGID, S_ISUID, S_IXGRP
from kernel.mm import GROWS_DOWN, STACK_TOP, Mm, Vma
from kernel.program_image import INTERPRETER_BASE, Image
from kernel.signal_numbers import SIG_IGN, SIGCHLD
from kernel.task import NO_STACK, Action, SigHand
from vm.hart import Hart
from vm.ram import PAGE

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.kernel import Kernel
    from kernel.task import Task

MAX_STRING = 32 * PAGE  # Linux's MAX_ARG_STRLEN, its NUL included
MAX_DEPTH = 5  # scripts that are run by scripts
STACK_EXTRA = 32 * PAGE  # Linux maps this much of the stack beyond what is used at first
_SCRIPT_LINE = 256  # Linux's BINPRM_BUF_SIZE

SP = 2


class Found(NamedTuple):
    """The ELF file that is to run, and with which arguments, after all `#!` lines."""

    inode: int
    path: bytes
    argv: list[bytes]


def execve(k: Kernel, t: Task, path: bytes, argv: list[bytes], envp: list[bytes]) -> None:
    """Replaces the task's program. With a SysError (E2BIG, EACCES, ENOENT, ENOEXEC, ENOMEM...) nothing has changed."""
    found = _find(k, t, path, argv or [b""])
    _check_size(found.argv, envp, max_strings(k, t))
    cred, secure = _credentials(k, t, found.inode)
    mm_id, entry, sp = _build(k, t, found, path, envp, cred, secure)
    # Commit: from here on nothing fails.
    caller, old = t.tid, t.mm
    lifecycle.become_leader(k, t)
    fs.unshare_table(k, t)
    lifecycle.release_memory(k, t)
    t.mm = mm_id
    mm.release(k, old)
    credentials.commit(k, t, cred)
    _reset_signals(k, t)
    _start_fresh(t, entry, sp)
    mm.activate(k, t)
    fs.close_on_exec(k, t.fdtable)
    _rename(k, t, path)
    k.stats.execs += 1
    if k.events.Exec:
        from kernel.events import Exec

        k.events.emit(Exec(k.machine.retired, t.tid, path, tuple(found.argv), caller))


def first_program(k: Kernel, fdtable: int, path: bytes, argv: list[bytes], envp: list[bytes]) -> Task:
    """Pid 1 with its program, for boot. SysError as execve."""
    mm_id = mm.create(k)
    cwd = k.root_inode
    fs.hold_inode(k, cwd)
    t = lifecycle.first_process(k, mm_id, fdtable, cwd, b"init")
    execve(k, t, path, argv, envp)
    return t


def _find(k: Kernel, t: Task, path: bytes, argv: list[bytes]) -> Found:
    """Follows `#!` lines from `path` to an ELF file. SysError ENOENT, EACCES, ENOEXEC, ELOOP, and those of the path."""
    for _ in range(MAX_DEPTH + 1):
        inode = _open(k, t, path)
        head = fs.read_inode(k, inode, 0, _SCRIPT_LINE)
        if program_image.is_elf(head):
            return Found(inode, path, argv)
        interpreter, argument = script_line(head)
        argv = [interpreter, *argument, path, *argv[1:]]
        path = interpreter
    raise SysError(ELOOP)


def _open(k: Kernel, t: Task, path: bytes) -> int:
    if not path:
        raise SysError(ENOENT)
    inode = fs.resolve(k, t, path)
    fs.executable(k, t.cred, inode)
    return inode


def script_line(head: bytes) -> tuple[bytes, list[bytes]]:
    """(interpreter, [its argument, if any]) from a script's first 256 bytes, as Linux's fs/binfmt_script.c reads them.

    The argument is all the rest of the line, spaces included. SysError(ENOEXEC) if there is no interpreter, or its
    name may be cut off.
    """
    if not head.startswith(b"#!"):
        raise SysError(ENOEXEC)
    line, newline, _ = head[2:].ljust(_SCRIPT_LINE - 2, b"\0").partition(b"\n")
    line, nul, _ = line.partition(b"\0")
    whole = (newline and not nul) or len(head) < _SCRIPT_LINE or nul
    line = line[: _SCRIPT_LINE - 3] if not whole else line
    name = line.strip(b" \t").replace(b"\t", b" ").partition(b" ")[0]
    if not name or (not whole and name == line.lstrip(b" \t")):
        raise SysError(ENOEXEC)
    argument = line.strip(b" \t")[len(name) :].strip(b" \t")
    return name, [argument] if argument else []


def max_strings(k: Kernel, t: Task) -> int:
    """Bytes of argv and envp together with their pointers: a quarter of the stack, within bounds (fs/exec.c)."""
    return max(min(limits.soft(k, t, limits.STACK) // 4, 6 << 20), 32 * PAGE)


def _check_size(argv: list[bytes], envp: list[bytes], most: int) -> None:
    strings = [*argv, *envp]
    if any(len(string) >= MAX_STRING for string in strings):
        raise SysError(E2BIG)
    if sum(len(string) + 1 + 8 for string in strings) > most:
        raise SysError(E2BIG)


def _credentials(k: Kernel, t: Task, inode: int) -> tuple[Cred, bool]:
    """Who the task is afterwards, and whether that is more than it was: set-user-ID and set-group-ID of execve(2)."""
    file = k.inodes.peek(inode)
    uid = file.uid if file.mode & S_ISUID else None
    gid = file.gid if file.mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP else None
    mine = sum(k.tasks.peek(tid).fs == t.fs for tid in k.groups.peek(t.tgid).threads)
    return credentials.after_exec(t.cred, (uid, gid), k.fs_structs.peek(t.fs).users > mine, t.no_new_privs)


def _build(
    k: Kernel, t: Task, found: Found, execfn: bytes, envp: list[bytes], cred: Cred, secure: bool
) -> tuple[int, int, int]:
    """The new address space: (its id, pc, sp). If it can't be finished, nothing of it is left."""
    image = program_image.load(k, found.inode, found.path)
    interpreter = _load_interpreter(k, t, image)
    mm_id = mm.create(k)
    try:
        new = k.mms[mm_id]
        _lay_out(k, t, new, image, interpreter)
        base = 0 if interpreter is None else INTERPRETER_BASE
        program = initial_stack.Program(image.entry, image.phdr, image.phnum, base, cred, secure)
        stack = initial_stack.build(program, execfn, found.argv, envp, k.door.random(16))
        _map_stack(k, new, stack, image.stack_prot)
        mm.map_area(k, new, signal_frame.TRAMPOLINE)
        _check_total(k, t, new)
        fs.hold_inode(k, found.inode)
        new.exe, new.exe_path = found.inode, found.path
    except BaseException:
        mm.destroy(k, mm_id)
        raise
    return mm_id, (interpreter or image).entry, stack.sp


def _lay_out(k: Kernel, t: Task, new: Mm, image: Image, interpreter: Image | None) -> None:
    """What the files say is mapped; the heap begins behind the program, mmap's areas end below the stack."""
    _map_image(k, new, image)
    if interpreter is not None:
        _map_image(k, new, interpreter)
    new.mmap_top = placement.top(limits.soft(k, t, limits.STACK))
    new.start_brk = new.brk = (image.end + PAGE - 1) & -PAGE


def _check_total(k: Kernel, t: Task, new: Mm) -> None:
    """RLIMIT_AS. (Linux finds out when the old program is gone already, and kills the process.)"""
    if memory_limits.size_of(new) > limits.soft(k, t, limits.AS):
        raise SysError(ENOMEM)


def _load_interpreter(k: Kernel, t: Task, image: Image) -> Image | None:
    if image.interpreter is None:
        return None
    inode = _open(k, t, image.interpreter)
    return program_image.load_interpreter(k, inode, image.interpreter)


def _map_image(k: Kernel, new: Mm, image: Image) -> None:
    for vma in image.vmas:
        if not mm.is_free(new, vma.start, vma.end):
            raise SysError(ENOEXEC)
        mm.map_area(k, new, vma)
    for va in {tail & -PAGE: tail for tail in image.tails}.values():
        _zero_tail(k, new, va)


def _zero_tail(k: Kernel, new: Mm, va: int) -> None:
    """A private copy of the file page in which .bss begins, with zeros from there on."""
    vma = mm.find(new, va)
    assert vma is not None and vma.inode
    offset = (va & -PAGE) - vma.start + vma.offset
    page = fs.read_inode(k, vma.inode, offset, PAGE)[: va % PAGE]
    _place(k, new, vma, va & -PAGE, page)


def _map_stack(k: Kernel, new: Mm, stack: initial_stack.Stack, prot: int) -> None:
    start = (stack.sp & -PAGE) - STACK_EXTRA
    vma = Vma(start, STACK_TOP, prot, GROWS_DOWN, 0, 0, b"[stack]")
    mm.map_area(k, new, vma)
    new.start_stack = stack.sp
    new.arg_start, new.arg_end, new.env_end = stack.arg_start, stack.arg_end, stack.env_end
    done, va = 0, stack.sp
    while done < len(stack.data):
        step = min(len(stack.data) - done, PAGE - va % PAGE)
        _place(k, new, vma, va, stack.data[done : done + step])
        done, va = done + step, va + step


def _place(k: Kernel, new: Mm, vma: Vma, va: int, data: bytes) -> None:
    """A fresh frame of zeros with `data` at `va`, mapped in the page of `va`, where nothing is mapped yet."""
    slot = pagetable.own(k, new.root, va)
    ppn = k.frames.alloc(place=(slot, va))
    k.machine.ram.write(ppn * PAGE + va % PAGE, data)
    fault.install(k, new, vma, slot, ppn, writable=True, dirty=True)


def _start_fresh(t: Task, entry: int, sp: int) -> None:
    """All registers are 0 (ra too: there is nobody to return to), except pc and sp."""
    t.hart.load(Hart().save())
    t.hart.pc = entry
    t.hart.x[SP] = sp


def _reset_signals(k: Kernel, t: Task) -> None:
    """Handlers are gone with the program that had them. What is ignored, blocked or pending stays so.

    Another process may share the actions (CLONE_SIGHAND): it keeps them, and this one gets its own.
    """
    old = k.sighands.peek(t.sighand).actions
    fresh = SigHand()
    fresh.actions = {signal: Action(SIG_IGN, 0, 0) for signal, action in old.items() if action.handler == SIG_IGN}
    lifecycle.release_sighand(k, t.sighand)
    t.sighand = k.sighands.add(fresh)
    t.altstack, t.keep_caps = NO_STACK, False
    group = k.groups[t.tgid]
    group.exit_signal, group.did_exec = SIGCHLD, True


def _rename(k: Kernel, t: Task, path: bytes) -> None:
    """comm is the last part of the path that was asked for (a script's, not its interpreter's), cut to 15 bytes."""
    t.comm = path.rpartition(b"/")[2][:15]
    if t.tid == t.tgid:
        k.groups[t.tgid].comm = t.comm
