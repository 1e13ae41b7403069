"""What a program finds on its stack before its first instruction (Linux's fs/binfmt_elf.c, create_elf_tables):

STACK_TOP      8 bytes of 0
               the path that was given to execve
               envp's strings
               argv's strings
               16 random bytes            (AT_RANDOM points here)
               padding to 16
               the auxiliary vector: (type, value) pairs up to AT_NULL
               envp: pointers, then a null one
               argv: pointers, then a null one
sp →           argc                       sp is a multiple of 16
"""

from __future__ import annotations

from struct import pack
from typing import NamedTuple

from kernel.credentials import Cred
from kernel.mm import STACK_TOP
from vm.ram import PAGE

AT_NULL, AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY = 0, 3, 4, 5, 6, 7, 8, 9
AT_UID, AT_EUID, AT_GID, AT_EGID, AT_HWCAP, AT_CLKTCK, AT_SECURE = 11, 12, 13, 14, 16, 17, 23
AT_RANDOM, AT_EXECFN = 25, 31

HWCAP = sum(1 << ord(letter) - ord("A") for letter in "IMA")
CLOCK_TICKS = 100


class Program(NamedTuple):
    """What the auxiliary vector says of the program."""

    entry: int
    phdr: int
    phnum: int
    base: int  # of its interpreter, 0 without one
    cred: Cred  # who runs it
    secure: bool  # it has powers that its caller has not, and should not trust it


class Stack(NamedTuple):
    """`data` goes to [sp, STACK_TOP); the rest is where argv's and envp's strings are."""

    sp: int
    data: bytes
    arg_start: int
    arg_end: int
    env_end: int


def build(program: Program, execfn: bytes, argv: list[bytes], envp: list[bytes], random: bytes) -> Stack:
    """`random` is 16 bytes. The size is for the caller to limit (exec.py)."""
    strings = b"".join(string + b"\0" for string in [*argv, *envp, execfn]) + bytes(8)
    arg_start = STACK_TOP - len(strings)
    addresses, at = [], arg_start
    for string in [*argv, *envp, execfn]:
        addresses.append(at)
        at += len(string) + 1
    random_at = (arg_start & -16) - 16
    vector = _vector(program, random_at, addresses[-1])
    arguments, environment = addresses[: len(argv)], addresses[len(argv) : -1]
    words = [len(argv), *arguments, 0, *environment, 0, *vector]
    sp = (random_at - 8 * len(words)) & -16
    head = pack(f"<{len(words)}Q", *words)
    data = head + bytes(random_at - sp - len(head)) + random + bytes(arg_start - random_at - 16) + strings
    env_start = addresses[len(argv)]
    return Stack(sp, data, arg_start, env_start, addresses[-1])


def _vector(program: Program, random_at: int, execfn_at: int) -> list[int]:
    cred = program.cred
    return [
        *(AT_HWCAP, HWCAP, AT_PAGESZ, PAGE, AT_CLKTCK, CLOCK_TICKS),
        *(AT_PHDR, program.phdr, AT_PHENT, 56, AT_PHNUM, program.phnum),
        *(AT_BASE, program.base, AT_FLAGS, 0, AT_ENTRY, program.entry),
        *(AT_UID, cred.uid, AT_EUID, cred.euid, AT_GID, cred.gid, AT_EGID, cred.egid),
        *(AT_SECURE, int(program.secure), AT_RANDOM, random_at, AT_EXECFN, execfn_at),
        *(AT_NULL, 0),
    ]
