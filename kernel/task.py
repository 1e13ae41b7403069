"""Tasks, thread groups and what the tasks of a process can share: the nouns of the process model.

A process is no more than its pid: what runs is a Task (a thread), and the tasks of one process form a ThreadGroup.
The leader's tid is the group's tgid, which is what programs call the pid. An address space (`Mm`, mm.py) belongs to
neither: tasks point to it. A zombie is a ThreadGroup without tasks: pid, status, resource usage, and nothing else.

Each field says who may change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernel.table import Record, copied
from vm.hart import Hart

if TYPE_CHECKING:
    from kernel.credentials import Cred
    from kernel.limits import Limits
    from kernel.siginfo import Info
    from kernel.wait_queues import Pending

RUNNING = "R"  # runs or stands in the run queue
SLEEPING = "S"  # waits (wait_queues.py); `pending` says for what
STOPPED = "T"  # stopped by a signal until SIGCONT or SIGKILL
ZOMBIE = "Z"  # of a group only: it has ended and nobody has waited for it yet


class Action(NamedTuple):
    """struct sigaction. `handler`: its address, SIG_DFL or SIG_IGN; `mask`: also blocked while it runs."""

    handler: int
    flags: int
    mask: int


DEFAULT = Action(0, 0, 0)
TIMER_SLACK = 50_000  # ns
NO_STACK = (0, 0, 2)  # Task.altstack: SS_DISABLE


class Task(Record):
    """A thread. Lives in `k.tasks` by tid from clone to exit."""

    __slots__ = (
        "tid",  # clone.py; lifecycle.become_leader
        "tgid",  # clone.py, once: the group it belongs to
        "mm",  # id in k.mms. clone.py makes it, exec.py replaces it
        "fdtable",  # id in k.fdtables. clone.py, exec.py and unshare (when they unshare)
        "fs",  # id in k.fs_structs: working directory and umask. clone.py, unshare
        "cred",  # who it is: a Cred, a value. credentials.commit; faccessat, for a moment
        "held",  # ((fd, open file id), ...): a shared table's files that its system call uses. fs/fdtable.py
        "state",  # RUNNING, SLEEPING or STOPPED. scheduler.py (make_runnable, park, stop)
        "pending",  # Pending or None. syscalls/table.py sets and clears it; signals.py clears it for a task that dies
        "attention",  # bool: look at signals before going on. signals.py (clears it), stopping.py, syscalls/table.py
        "comm",  # bytes, up to 15: the program's name. exec.py, prctl, fs/proc/process.py
        "policy",  # what sched_setscheduler asked for: it changes nothing. syscalls/sched.py; clone.py copies it
        "instructions",  # retired by this task so far. scheduler.py
        "clear_child_tid",  # address or 0: set to 0 and woken when the task leaves its memory. set_tid_address, clone
        "robust_list",  # address of its struct robust_list_head, or 0. set_robust_list, robust_list.py
        "sighand",  # id in k.sighands: what it does about signals. clone.py, exec.py
        "blocked",  # bit n-1: signal n is blocked. signals.set_blocked
        "saved_mask",  # the mask to put back when the call that replaced it ends, or None. syscalls/{signals,poll}.py
        "awaited",  # signals that rt_sigtimedwait waits for, though blocked. syscalls/signals.py
        "signals",  # bit n-1: signal n is pending for this thread alone. signals.py
        "queue",  # their siginfos, oldest first. signals.py
        "altstack",  # (address, size, flags) of sigaltstack. signal_stack.py
        "children",  # tgid → None: the children that this thread made or was given, oldest first. reaper.py
        "ready",  # ascending (join, tgid) of those of them that have something for wait. reaper.py
        "pid_ref",  # id in k.pid_refs of what pidfds for this thread hold, if it is no leader; or 0. pid_refs.py
        "pdeath_signal",  # what it gets when the thread that is its parent ends, or 0. prctl
        "timer_slack",  # (ns, what 0 means): how late its timers may be, but here they never are. prctl
        "no_new_privs",  # bool: exec gives it no rights that it hasn't. prctl
        "keep_caps",  # bool: it keeps its capabilities when it ceases to be root; until exec. prctl
        "vfork",  # tid of the parent that waits until this task execs or ends, or 0. clone.py, lifecycle.py
        "hart",  # the registers. exec.py, clone.py (a copy for the child), signal_frame.py, syscalls/table.py (pc, a0)
    )

    tid: int
    tgid: int
    mm: int
    fdtable: int
    fs: int
    cred: Cred
    held: tuple[tuple[int, int], ...]
    state: str
    pending: Pending | None
    attention: bool
    comm: bytes
    policy: int
    instructions: int
    clear_child_tid: int
    robust_list: int
    sighand: int
    blocked: int
    saved_mask: int | None
    awaited: int
    signals: int
    queue: list[Info]
    altstack: tuple[int, int, int]
    children: dict[int, None]
    ready: list[tuple[int, int]]
    pid_ref: int
    pdeath_signal: int
    timer_slack: tuple[int, int]
    no_new_privs: bool
    keep_caps: bool
    vfork: int
    hart: Hart

    def __init__(
        self, tid: int, tgid: int, mm: int, fdtable: int, fs: int, sighand: int, comm: bytes, cred: Cred
    ) -> None:
        self.tid = tid
        self.tgid = tgid
        self.mm = mm
        self.fdtable = fdtable
        self.fs = fs
        self.cred = cred
        self.held = ()
        self.state = RUNNING
        self.pending = None
        self.attention = False
        self.comm = comm
        self.instructions = 0
        self.clear_child_tid = self.robust_list = self.policy = 0
        self.sighand = sighand
        self.blocked = self.awaited = self.signals = self.pid_ref = self.pdeath_signal = self.vfork = 0
        self.saved_mask = None
        self.queue, self.ready = [], []
        self.children = {}
        self.altstack = NO_STACK
        self.timer_slack = (TIMER_SLACK, TIMER_SLACK)
        self.no_new_privs = self.keep_caps = False
        self.hart = Hart()

    def inherit(self, parent: Task) -> None:
        """What a clone has of prctl(2)'s attributes: none of its parent's death signal, all of the others."""
        self.timer_slack = (parent.timer_slack[0], parent.timer_slack[0])
        self.no_new_privs, self.keep_caps = parent.no_new_privs, parent.keep_caps

    def freeze(self) -> tuple[Any, ...]:
        """As Record.freeze; the registers as bytes."""
        return (*[copied(getattr(self, name)) for name in self.__slots__[:-1]], self.hart.save())

    @classmethod
    def thaw(cls, data: tuple[Any, ...]) -> Task:
        """As Record.thaw."""
        task = cls.__new__(cls)
        for name, value in zip(cls.__slots__[:-1], data[:-1], strict=True):
            setattr(task, name, copied(value))
        task.hart = Hart()
        task.hart.load(data[-1])
        return task


class ThreadGroup(Record):
    """A process, alive or zombie. Lives in `k.groups` by tgid from clone to the wait that reaps it."""

    __slots__ = (
        "tgid",  # clone.py, once
        "parent",  # tgid of the parent; 0 for pid 1. reaper.py
        "forker",  # tid of the parent's thread that made it, or was given it; 0 for pid 1. reaper.py
        "children",  # tgid → None, those of all its threads, in the order in which they became children. reaper.py
        "join",  # sequence number of becoming its parent's child: the order in which wait finds them. reaper.py
        "threads",  # tid → None of its tasks, the leader first (if it has not ended yet). clone.py, lifecycle.py
        "target",  # tid of the thread that took the last signal for all of them. signals.py
        "pgid",  # process group. pgroups.py
        "sid",  # session. pgroups.py
        "tty",  # bool: the console is its controlling terminal. fs/terminal.py, fs/tty.py, pgroups.py; clone copies it
        "did_exec",  # bool: its program is no longer the one it was born with. exec.py
        "subreaper",  # bool: orphans below it come to it. prctl
        "below_subreaper",  # bool: some ancestor is, or was, a subreaper. clone.py, prctl
        "pid_ref",  # id in k.pid_refs of what pidfds for this process hold, or 0. pid_refs.py
        "exit_signal",  # what its parent gets when it ends: SIGCHLD for fork. clone.py, exec.py, reaper.py
        "status",  # the word for wait4, once it is a zombie. lifecycle.py
        "zombie",  # bool. lifecycle.py
        "stopping",  # the signal that is about to stop it, while some threads still run, or 0. stopping.py
        "stopped",  # the signal that stopped it, or 0. stopping.py
        "report",  # the stop/continue status word nobody has waited for yet, or None. reaper.set_report
        "signals",  # bit n-1: signal n is pending for the process as a whole. signals.py
        "queue",  # their siginfos, oldest first. signals.py
        "doomed",  # a signal that will end it before its next instruction, whatever else is pending, or 0. signals.py
        "timer",  # (deadline in ns, or 0, or minus that of a signal not taken yet; interval) of ITIMER_REAL. itimer.py
        "cpu_timers",  # the same of ITIMER_VIRTUAL and ITIMER_PROF, in ns of CPU time. cpu_time.py
        "cpu_alarm",  # ns of CPU time at which one of them, or RLIMIT_CPU, is due; 0: none. cpu_time.py
        "limits",  # (soft, hard) by resource. limits.py
        "death",  # the events.Death that ended it, or None. signals.py
        "cred",  # its leader's: who may signal it. credentials.commit
        "comm",  # of its leader: what is left to show of a zombie. exec.py, prctl, fs/proc/process.py
        "instructions",  # retired by tasks of it that have ended. lifecycle.py
        "children_instructions",  # of children that were waited for, and of theirs. wait.py
        "faults",  # minor page faults. fault.py
        "children_faults",  # wait.py
        "max_frames",  # most frames its address space had, for ru_maxrss. lifecycle.py
        "children_max_frames",  # wait.py
        "switches",  # (voluntary, involuntary) context switches, as counts. scheduler.py
        "children_switches",  # wait.py
    )

    tgid: int
    parent: int
    forker: int
    children: dict[int, None]
    join: int
    threads: dict[int, None]
    target: int
    pgid: int
    sid: int
    tty: bool
    did_exec: bool
    subreaper: bool
    below_subreaper: bool
    pid_ref: int
    exit_signal: int
    status: int
    zombie: bool
    stopping: int
    stopped: int
    report: int | None
    signals: int
    queue: list[Info]
    doomed: int
    timer: tuple[int, int]
    cpu_timers: tuple[tuple[int, int], tuple[int, int]]
    cpu_alarm: int
    limits: Limits
    death: Any
    cred: Cred
    comm: bytes
    instructions: int
    children_instructions: int
    faults: int
    children_faults: int
    max_frames: int
    children_max_frames: int
    switches: tuple[int, int]
    children_switches: tuple[int, int]

    def __init__(
        self, tgid: int, parent: int, pgid: int, sid: int, exit_signal: int, comm: bytes, cred: Cred, limits: Limits
    ) -> None:
        self.limits = limits
        self.tgid, self.parent, self.pgid, self.sid = tgid, parent, pgid, sid
        self.tty = False
        self.exit_signal = exit_signal
        self.comm, self.cred = comm, cred
        self.children, self.threads = {}, {tgid: None}
        self.queue = []
        self.did_exec = self.subreaper = self.below_subreaper = False
        self.timer = (0, 0)
        self.cpu_timers = ((0, 0), (0, 0))
        self.cpu_alarm = 0
        self.target, self.pid_ref = tgid, 0
        self.join = self.forker = self.status = self.stopping = self.stopped = self.signals = self.doomed = 0
        self.zombie = False
        self.report = self.death = None
        self.instructions = self.children_instructions = 0
        self.faults = self.children_faults = 0
        self.max_frames = self.children_max_frames = 0
        self.switches = self.children_switches = (0, 0)


class SigHand(Record):
    """Linux's sighand_struct: what is done about each signal. Shared by the tasks of a process."""

    __slots__ = ("actions", "users")

    actions: dict[int, Action]  # signal → Action; signals that aren't in it have their default. syscalls/signals.py
    users: int  # tasks that point here. clone.py, lifecycle.py

    def __init__(self) -> None:
        self.actions = {}
        self.users = 1


class FsStruct(Record):
    """Linux's fs_struct: what chdir, chroot and umask change. Shared by tasks that were cloned with CLONE_FS."""

    __slots__ = ("root", "cwd", "umask", "users")

    root: int  # inode id, held. chroot changes it
    cwd: int  # inode id, held (fs.hold_inode). chdir changes it
    umask: int  # umask(2)
    users: int  # tasks that point here. clone.py, lifecycle.py

    def __init__(self, root: int, cwd: int, umask: int = 0o022) -> None:
        self.root = root
        self.cwd = cwd
        self.umask = umask
        self.users = 1
