"""What a person can choose about a machine before it boots."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vm.native.code import ObjectCache

MIN_SLICE = 64  # instructions: lets every lr/sc loop finish within one slice
DEFAULT_QUANTUM = 100_000
PID_MAX = 32768


class Config:
    """`memory` bytes of RAM; `mounts` as (host directory, guest directory, writable); `env` as b"NAME=VALUE".

    `fork` is how it copies memory: a name in fork_policy.POLICIES. With "vfork", for the fork laboratory, it doesn't.
    `objects` is where the llvm engine keeps what it has compiled (vm.native.code.ObjectCache), None: nowhere.
    `root`: the first process is uid 0 with every capability, not an ordinary user.
    `count_accesses` makes the engine count loads and stores, for `--stats`: without it the TLB's hits are not known.
    """

    __slots__ = (
        "memory",
        "engine",
        "max_insns",
        "max_procs",
        "quantum",
        "sched",
        "seed",
        "fork",
        "mounts",
        "env",
        "pid_max",
        "init",
        "root",
        "count_accesses",
        "objects",
    )

    def __init__(
        self,
        memory: int = 256 << 20,
        engine: str = "auto",
        max_insns: int | None = None,
        max_procs: int = 4096,
        quantum: int = DEFAULT_QUANTUM,
        sched: str = "rr",
        seed: int = 0,
        fork: str = "shared-tables",
        mounts: tuple[tuple[str, str, bool], ...] = (),
        env: tuple[bytes, ...] = (b"PATH=/bin",),
        pid_max: int = PID_MAX,
        init: bytes = b"/bin/init",
        root: bool = False,
        count_accesses: bool = False,
        objects: ObjectCache | None = None,
    ) -> None:
        self.memory = memory
        self.engine = engine
        self.max_insns = max_insns
        self.max_procs = max_procs
        self.quantum = quantum
        self.sched = sched
        self.seed = seed
        self.fork = fork
        self.mounts = mounts
        self.env = env
        self.pid_max = pid_max
        self.init = init
        self.root = root
        self.count_accesses = count_accesses
        self.objects = objects
