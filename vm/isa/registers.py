"""Names of registers: integer registers (psABI, "Register Convention") and the CSRs that the machine has."""

from __future__ import annotations

from vm.isa.csr_names import CSR_NAMES, CSR_NUMBERS

__all__ = ["COUNTERS", "CSR_NAMES", "CSR_NUMBERS", "CYCLE", "INSTRET", "TIME", "X_NAMES", "X_NUMBERS"]

X_NAMES: tuple[str, ...] = (
    *("zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"),
    *(f"a{n}" for n in range(8)),
    *(f"s{n}" for n in range(2, 12)),
    *(f"t{n}" for n in range(3, 7)),
)
X_NUMBERS: dict[str, int] = {
    **{name: number for number, name in enumerate(X_NAMES)},
    **{f"x{number}": number for number in range(32)},
    "fp": 8,
}

CYCLE, TIME, INSTRET = 0xC00, 0xC01, 0xC02
#: The CSRs that this machine has: the unprivileged counters (Unprivileged, "Zicntr"). All are read-only.
COUNTERS = (CYCLE, TIME, INSTRET)
