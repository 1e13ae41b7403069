"""Exception causes (Privileged, mcause/scause values after trap)."""

from __future__ import annotations


class Cause:
    """The exception codes that a user-mode program can raise."""

    INSTRUCTION_MISALIGNED = 0
    FETCH_ACCESS = 1
    ILLEGAL = 2
    BREAKPOINT = 3
    LOAD_MISALIGNED = 4
    LOAD_ACCESS = 5
    STORE_MISALIGNED = 6
    STORE_ACCESS = 7
    ECALL = 8
    FETCH_PAGE = 12
    LOAD_PAGE = 13
    STORE_PAGE = 15
