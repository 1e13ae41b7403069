"""Names of registers: integer registers (psABI, Register Convention) and CSRs (Privileged, CSR Listing)."""

from __future__ import annotations

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
#: The CSRs that this machine has: the unprivileged counters (Unprivileged, "Zicntr").
CSR_NAMES: dict[int, str] = {CYCLE: "cycle", TIME: "time", INSTRET: "instret"}
CSR_NUMBERS: dict[str, int] = {name: number for number, name in CSR_NAMES.items()}
