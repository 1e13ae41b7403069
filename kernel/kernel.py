"""The kernel: every table and queue there is, in one object that is handed to every function.

It holds the state and the few operations that everybody needs (`now`, `wake`, `park`); what is done with the state is
in the other files, one idea each. boot.py makes one, scheduler.py runs it, snapshot.py copies it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from kernel import scheduler, snapshot
from kernel.config import Config
from kernel.door import Door
from kernel.events import Bus, Death
from kernel.frames import Frames
from kernel.mm import Mm
from kernel.page_cache import PageCache
from kernel.pgroups import ProcessGroup, Session
from kernel.pid_refs import PidRef
from kernel.pids import Pids
from kernel.stats import Stats
from kernel.table import Table
from kernel.task import FsStruct, SigHand, Task, ThreadGroup
from kernel.users import Users
from kernel.wait_queues import WaitKey, WaitQueues
from vm.machine import Machine

if TYPE_CHECKING:
    from kernel.fs.eventfd import EventFd
    from kernel.fs.fdtable import FdTable
    from kernel.fs.file import OpenFile
    from kernel.fs.inode import Inode
    from kernel.fs.locks import FileLocks
    from kernel.fs.mounts import Mount, Sources
    from kernel.fs.pipe import Pipe
    from kernel.fs.socketpair import Socket
    from kernel.fs.terminal import Terminal
    from kernel.snapshot import KernelSnapshot


class Waiter(NamedTuple):
    """Who waits for what, for the message about a deadlock."""

    tid: int
    tgid: int
    comm: bytes
    state: str
    call: str  # name of the system call it waits in, or ""
    keys: tuple[WaitKey, ...]


class Outcome(NamedTuple):
    """Why `Kernel.run` returned.

    kind       "exited": pid 1 has ended, `status` is its exit status as a shell would give it (128 + N for signal N)
               "max-insns": Config.max_insns instructions have retired
               "deadlock": nobody can ever run again; `waiters` lists who waits for what
               "paused": the count given to `run` was reached; the run can go on
    death      what killed pid 1, if a signal did
    """

    kind: str
    status: int
    waiters: tuple[Waiter, ...] = ()
    death: Death | None = None


class Kernel:
    """Who may write a field is the file named behind it; the tables' rows say it field by field."""

    tasks: Table[Task]
    groups: Table[ThreadGroup]
    pgroups: Table[ProcessGroup]
    sessions: Table[Session]
    pid_refs: Table[PidRef]
    mms: Table[Mm]
    fs_structs: Table[FsStruct]
    sighands: Table[SigHand]
    fdtables: Table[FdTable]
    files: Table[OpenFile]
    inodes: Table[Inode]
    pipes: Table[Pipe]
    eventfds: Table[EventFd]
    sockets: Table[Socket]
    locks: Table[FileLocks]  # by inode id
    terminals: Table[Terminal]  # there is one
    mounts: Table[Mount]
    sources: Sources  # where the contents of /bin come from; no part of the machine's state

    def __init__(self, config: Config, door: Door) -> None:
        self.config = config
        self.door = door
        self.events = Bus()
        self.machine = Machine(config.memory, config.engine, config.count_accesses, config.objects)
        self.frames = Frames(self)
        self.page_cache = PageCache()
        self.stats = Stats()
        self.pids = Pids(config.pid_max)
        self.users = Users()
        self.tasks = Table(Task)
        self.groups = Table(ThreadGroup)
        self.pgroups = Table(ProcessGroup)
        self.sessions = Table(Session)
        self.pid_refs = Table(PidRef)
        self.mms = Table(Mm)
        self.fs_structs = Table(FsStruct)
        self.sighands = Table(SigHand)
        self.wait_queues = WaitQueues()
        self.run_queue: deque[int] = deque()  # tids that are RUNNING and aren't `current`. scheduler.py
        self.current = 0  # tid on the hart, 0: none. scheduler.py; lifecycle.become_leader
        self.last_ran = 0  # tid that had the hart before. scheduler.py; lifecycle.become_leader
        self.slice_end = 0  # machine.retired at which the current slice ends. scheduler.py
        self.schedule_state = 0  # state of the random scheduler. scheduler.py
        self.zombies = 0  # processes that have ended and nobody has waited for. lifecycle.py, reaper.py
        self.joins = 0  # sequence of ThreadGroup.join. reaper.py
        self.asid_generation = 1  # mm.py
        self.asid_next = 1  # mm.py
        self.root_inode = 0  # fs/setup.py
        self.outcome: Outcome | None = None  # lifecycle.py (pid 1 ended), scheduler.py

    @property
    def now(self) -> int:
        """The clock in ns: instructions retired plus time spent idle."""
        return self.machine.clock

    def park(self, task: Task) -> None:
        """The task sleeps on what `task.pending` says."""
        scheduler.park(self, task)

    def wake(self, key: WaitKey, limit: int | None = None) -> int:
        """Makes the tasks that wait on `key` runnable, first come first, at most `limit`; returns how many."""
        return scheduler.wake(self, key, limit)

    def run(self, until: int | None = None) -> Outcome:
        """Runs the machine to its end, or until exactly `until` instructions have retired ("paused")."""
        return scheduler.run(self, until)

    def snapshot(self) -> KernelSnapshot:
        """The whole state as a value (snapshot.py). Not while `run` is running."""
        return snapshot.take(self)

    def restore(self, state: KernelSnapshot) -> None:
        """Goes back, or forth, to a snapshot of this kernel."""
        snapshot.restore(self, state)
