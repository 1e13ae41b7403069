"""Scripts for player.c, written by hypothesis: any operations of any players in any order, as long as each has one
possible outcome on Linux. After whatever changes a player's state asynchronously its parent waits until that is so
(SETTLE), and who got a signal for its handler takes a turn (NOP), so that the next operation finds a settled world.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from tests.differential import world as w
from tests.differential.world import INIT, Change, Player, World

SOURCE = Path(__file__).with_name("player.c")
_ENUM = re.search(r"enum \{ (NOP,.*?) \};", SOURCE.read_text(), re.DOTALL)
assert _ENUM is not None
NAMES = [name.strip() for name in _ENUM[1].split(",")]
CODES = {name: code for code, name in enumerate(NAMES)}
WAITS = 1

MOST_PLAYERS = 9
MOST_OPERATIONS = 420  # of the 512 that player.c takes: room for the end
# Operands that mean a process or group (pid_of in player.c).
GROUP_OF, SELF, ANY, NOBODY, NO_GROUP, LEAST = 16, 200, 201, 202, 203, 204
# wait_options in player.c, by bit; the numbers of waitid's id types.
NOHANG, UNTRACED, CONTINUED, ALL, CLONED, EXITED, NOWAIT = 1, 2, 4, 8, 16, 32, 64
P_ALL, P_PID, P_PGID = 0, 1, 2


class Operation(NamedTuple):
    """As struct operation in player.c."""

    player: int
    what: str
    operands: tuple[int, ...] = ()
    waits: bool = False

    def encode(self) -> bytes:
        operands = [*self.operands, 0, 0, 0, 0, 0][:5]
        return bytes([self.player, CODES[self.what], *operands, WAITS * self.waits])


class Script(NamedTuple):
    """A whole play."""

    operations: tuple[Operation, ...]
    not_under_qemu: tuple[str, ...] = ()  # what of it qemu-riscv64 gets wrong

    def encode(self) -> bytes:
        return len(self.operations).to_bytes(4, "little") + b"".join(op.encode() for op in self.operations)

    def __str__(self) -> str:
        lines = [
            f"{index:3} p{op.player} {op.what} {' '.join(map(str, op.operands))}{' (waits)' * op.waits}"
            for index, op in enumerate(self.operations)
        ]
        return "\n".join(lines)


def explain(output: str) -> str:
    """A play's output with the names of operations instead of their codes."""
    return re.sub(r"^( \d+): (\d+)", lambda m: f"{m[1]}: {NAMES[int(m[2])]}", output, flags=re.MULTILINE)


class Writer:
    """Writes one script. Each `write_…` method draws what it needs and appends operations; some find nothing to do."""

    def __init__(self, data: st.DataObject | Callable[..., int]) -> None:
        self.world = World()
        self.operations: list[Operation] = []
        self.not_under_qemu: list[str] = []
        self.born = 0
        self.data = data
        self.grouped = self.chance()  # is it about process groups, or about stopping?
        # A script is about few things, so that they meet.
        self.signals = (self.one_of(self.SIGNALS), self.one_of(self.SIGNALS), w.CHLD, self.one_of(self.SIGNALS))
        self.theme = self._THEMES[self.number(0, len(self._THEMES) - 1)]
        self.most = self.one_of((2, 3, 5, MOST_PLAYERS))

    # --- drawing ------------------------------------------------------------------------------------------

    def number(self, low: int, high: int) -> int:
        return self.data(low, high)  # type: ignore[operator, no-any-return]

    def chance(self) -> bool:
        return bool(self.number(0, 1))

    def one_of(self, choices: list[int] | tuple[int, ...]) -> int:
        return choices[self.number(0, len(choices) - 1)]

    def actor(self, init: bool = False) -> Player | None:
        """Somebody who can take a turn; player 0 only where its state can't be harmed by it."""
        able = [p for p in self.world.acting() if init or p.number != INIT]
        return able[self.number(0, len(able) - 1)] if able else None

    # --- writing ------------------------------------------------------------------------------------------

    def add(self, player: Player | int, what: str, *operands: int, waits: bool = False) -> None:
        number = player if isinstance(player, int) else player.number
        self.operations.append(Operation(number, what, operands, waits))

    def settle(self, changes: list[Change]) -> None:
        """What has changed is waited for by those who can know."""
        for change in changes:
            parent = self.world[self.world[change.player].parent]
            was_waited_for = change.what == 4 and self.operations_wait(change)
            if was_waited_for or parent.waits_for is not None:
                self.add(parent, "NOP")
            else:
                self.add(parent, "SETTLE", change.player, change.what)
                self._hear_twice(parent, change)
        for player in self.world.acting():
            if player.parents_death:
                self.acknowledge(player)

    def _hear_twice(self, parent: Player, change: Change) -> None:
        """A stop or a continuation is told once: the second wait finds nothing new."""
        if change.what != 4 and self.chance():
            for _ in range(2):
                self.add(parent, "WAIT4", change.player, NOHANG | UNTRACED | CONTINUED | ALL)

    def operations_wait(self, change: Change) -> bool:
        """Was the end of this child what its parent's blocking wait was for? Then that has reaped it."""
        return (change.parent, change.player) in self.blocking and self.world[change.player].state == w.GONE

    blocking: frozenset[tuple[int, int]] = frozenset()

    def can_settle(self, player: Player) -> bool:
        """Can its parent take a turn now, or is it waiting for just this player?"""
        parent = self.world[player.parent]
        if any(child.parents_death for child in self.world.children(player.number)):
            reaper = self.world[self.world.reaper(player)]
            if reaper.state != w.ACTING or reaper.waits_for is not None:
                return False
        return parent.state == w.ACTING and parent.waits_for in (None, player.number)

    def write_fork(self) -> None:
        player = self.actor(init=True)
        if player is None or self.born >= self.most:
            return
        self.born += 1
        tells = self.number(0, 5) != 0 or player.number == INIT
        self.add(player, "FORK", self.born, 0 if tells else 1)
        if not tells:
            self.not_under_qemu.append("children whose end sends no signal")
        self.world.fork(player.number, self.born, tells)

    def write_vfork(self) -> None:
        """The child of a vfork execs at once, or exits."""
        player = self.actor()
        if player is None or self.born >= self.most:
            return
        self.born += 1
        code = 0 if self.chance() else self.number(1, 90)
        self.not_under_qemu.append("vfork")
        self.add(player, "VFORK", self.born, code, self.number(0, 3), self.number(1, 200))
        self.world.fork(player.number, self.born, True)
        self.world.exec(self.born)
        if code:
            self.world.end(self.born)
        else:
            self.add(self.born, "NOP")  # it has got so far

    def write_exit(self) -> None:
        player = self.actor()
        if player is not None and self.can_settle(player):
            self.add(player, "EXIT", self.number(0, 255), waits=True)
            self.settle(self.world.end(player.number))

    def write_exec(self) -> None:
        player = self.actor()
        if player is not None:
            self.add(player, "EXEC")
            self.world.exec(player.number)
            if player.execs > 1:
                self.not_under_qemu.append("signals that stay ignored over a second exec")

    # --- signals ------------------------------------------------------------------------------------------

    SIGNALS = (w.HUP, w.USR1, w.USR2, w.TERM, w.CHLD, w.CONT, w.WINCH, *w.REALTIME)

    def write_kill(self) -> None:
        player = self.actor(init=True)
        targets = [p for p in self.world.players.values() if p.number != INIT]
        if player is None or not targets:
            return
        target = targets[self.number(0, len(targets) - 1)]
        signal = self.one_of((*self.signals, *self.signals, w.KILL, w.STOP, w.CONT, w.STOP, 0, 65))
        queued = signal in w.REALTIME and self.chance()
        if target.state in (w.ZOMBIE, w.GONE) or signal in (0, 65):
            self.add(player, "KILL", target.number, signal)
        elif signal in (w.STOP, w.CONT) and not self._can_stop(target, signal):
            return
        elif player.parent == target.number and player.parents_death:
            return  # would it live to write what kill has answered?
        elif self.can_settle(target) and (target.waits_for is None or signal == w.KILL):
            self._send(player, target, signal, queued)

    def _can_stop(self, target: Player, signal: int) -> bool:
        """With process groups about, who is stopped may be an orphan and then gets SIGHUP: no such scripts yet."""
        if self.grouped or self.world[target.parent].waits_for is not None:
            return False
        return signal == w.STOP or not self._tells_twice(target)

    def _tells_twice(self, target: Player) -> bool:
        """Would it go on and end at once? Then its parent's handler runs once or twice, as it happens."""
        parent = self.world[target.parent]
        return self.world.ends_when_continued(target.number) and parent.action(w.CHLD) == w.HANDLER

    def _send(self, player: Player, target: Player, signal: int, queued: bool) -> None:
        # Somebody who may end or stop by it passes the turn on before.
        waits = player is target and self._hits_hard(target, signal)
        value = (self.number(0, 255),) if queued else ()
        self.add(player, "SIGQUEUE" if queued else "KILL", target.number, signal, *value, waits=waits)
        changes = self.world.send(target.number, signal)
        self.settle(changes)
        self.acknowledge(target)

    def _hits_hard(self, player: Player, signal: int) -> bool:
        if signal in (w.KILL, w.STOP):
            return True
        return signal not in player.blocked and player.action(signal) == w.DEFAULT and not player.ignores(signal)

    def acknowledge(self, player: Player) -> None:
        """It takes a turn, so that its handlers have run."""
        if player.state == w.ACTING and player.waits_for is None:
            self.add(player, "NOP")

    def write_sigaction(self) -> None:
        player = self.actor()
        if player is None:
            return
        signal = self.one_of((*self.signals, *self.signals, w.KILL))
        handler = self.number(0, 2)
        flags = self.number(0, 63)
        if signal == w.CHLD and flags & (w.NOCLDSTOP | w.NOCLDWAIT):
            self.not_under_qemu.append("SA_NOCLDSTOP and SA_NOCLDWAIT")
        mask = self.one_of((0, *self.SIGNALS))
        self.add(player, "SIGACTION", signal, handler, flags, mask)
        if signal != w.KILL:
            self.world.set_action(player.number, signal, handler, flags)

    def write_sigmask(self) -> None:
        player = self.actor()
        if player is None or not self.can_settle(player):
            return
        how, first, second = (
            self.one_of((0, 0, 1, 2)),
            self.one_of(self.signals),
            self.one_of((0, *self.signals, w.KILL)),
        )
        chosen = {first, second} - {0, w.KILL}
        blocked = {0: player.blocked | chosen, 1: player.blocked - chosen, 2: chosen}[how]
        hits = any(self._would_hit(player, s) for s in player.pending - blocked)
        self.add(player, "SIGMASK", how, first, second, waits=hits)
        player.blocked = blocked
        self.settle(self.world.deliver(player.number))
        self.acknowledge(player)

    @staticmethod
    def _would_hit(player: Player, signal: int) -> bool:
        return player.action(signal) == w.DEFAULT and not player.ignores(signal)

    def write_sigpending(self) -> None:
        player = self.actor()
        if player is not None:
            self.add(player, "SIGPENDING")

    def write_sigtimedwait(self) -> None:
        player = self.actor()
        if player is not None:
            first, second = self.one_of(self.signals), self.one_of((0, *self.signals))
            self.add(player, "SIGTIMEDWAIT", first, second)
            here = sorted(player.pending & {first, second})
            if here and here[0] not in w.REALTIME:
                player.pending.discard(here[0])

    # --- waiting ------------------------------------------------------------------------------------------

    def parent(self) -> Player | None:
        """Somebody who can take a turn, mostly one who has children."""
        able = [p for p in self.world.acting() if self.world.children(p.number)]
        return able[self.number(0, len(able) - 1)] if able and self.number(0, 5) else self.actor(init=True)

    def write_wait(self) -> None:
        player = self.parent()
        if player is None:
            return
        which = self._whom(player)
        options = NOHANG | self.number(0, 31)
        if which == LEAST:
            options = NOHANG
        self.add(player, "WAIT4", which, options)

    def write_waitid(self) -> None:
        player = self.parent()
        if player is None:
            return
        kind = self.number(0, 2)
        which = self._whom(player) if kind == P_PID else self.one_of((SELF, *range(self.born + 1)))
        options = NOHANG | (
            self.number(0, 127) if self.chance() else self.one_of((EXITED, EXITED | NOWAIT, UNTRACED, 46))
        )
        self.add(player, "WAITID", kind, which, options)

    def _whom(self, player: Player) -> int:
        children = [c.number for c in self.world.children(player.number)]
        group = GROUP_OF + self.number(0, self.born)
        return self.one_of((ANY, SELF, NOBODY, NO_GROUP, group, ANY, *children, *children, self.number(0, self.born)))

    def write_blocking_wait(self) -> None:
        player = self.actor()
        if player is None:
            return
        children = [c for c in self.world.children(player.number) if c.state == w.ACTING and c.tells]
        if not children or self.world._reaps_silently(player):
            return
        child = children[self.number(0, len(children) - 1)]
        self.add(player, "WAIT4", child.number, 0, waits=True)
        player.waits_for = child.number
        self.blocking = self.blocking | {(player.number, child.number)}

    # --- who one is ---------------------------------------------------------------------------------------

    def write_identity(self) -> None:
        player = self.actor(init=True)
        if player is not None:
            self.add(player, "GETPPID")

    def write_umask(self) -> None:
        player = self.actor()
        if player is not None:
            self.add(player, "UMASK", self.number(0, 255))

    def write_groups(self) -> None:
        player = self.actor()
        if player is None or not self.grouped:
            return
        kind = self.number(0, 7)
        if kind <= 2:
            family = [player.number, *[c.number for c in self.world.children(player.number)]]
            target = self.one_of((*family, *family, self.number(1, self.born)))
            leader = self.one_of((target, *[p.group for p in self.world.living()]))
            self.add(player, "SETPGID", target, leader)
            self.world.setpgid(player.number, target, leader)
        elif kind == 3:
            self.add(player, "SETSID")
            self.world.setsid(player.number)
        elif kind == 4:
            self.add(player, "GETPGID", self.one_of((SELF, NOBODY, *range(self.born + 1))))
        elif kind == 5:
            self.add(player, "GETSID", self.one_of((SELF, NOBODY, *range(self.born + 1))))
        else:
            self._kill_group(player)

    def _kill_group(self, player: Player) -> None:
        leaders = sorted({p.group for p in self.world.living()} - {INIT})
        if not leaders:
            return
        leader = self.one_of(leaders)
        targets, signal = self.world.group(leader), self.one_of((w.USR1, w.TERM, w.WINCH, w.REALTIME[0], w.KILL, 0))
        hit = [t for t in targets if signal and self._hits_hard(t, signal)]
        if any(t.waits_for is not None for t in targets) or not all(self._ends_alone(t, targets) for t in hit):
            return
        which = GROUP_OF + leader if player.group != leader or self.chance() else SELF
        self.add(player, "KILL", which, signal, waits=player in hit)
        self.settle([change for t in targets for change in self.world.send(t.number, signal)])
        for target in targets:
            self.acknowledge(target)

    def _ends_alone(self, player: Player, others: list[Player]) -> bool:
        """If several end at once: nothing may depend on who is first."""
        parent = self.world[player.parent]
        if parent in others or parent.action(w.CHLD) == w.HANDLER or w.CHLD in parent.blocked:
            return False
        return self.can_settle(player) and not self.world.children(player.number)

    def write_prctl(self) -> None:
        player = self.actor()
        if player is None:
            return
        # qemu refuses to make subreapers, and the end of one of its own threads counts as a parent's.
        self.not_under_qemu.append("PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG")
        if self.chance():
            player.subreaper = self.chance()
            self.add(player, "PRCTL", 36, int(player.subreaper))
        else:
            player.parents_death = self.one_of((0, w.TERM, w.USR1, w.WINCH, w.KILL))
            self.add(player, "PRCTL", 1, player.parents_death)

    def write_orphan(self) -> None:
        """A grandchild loses its parent: who is it now?"""
        player = self.actor()
        if player is None or self.born + 2 > self.most:
            return
        if self.number(0, 2):
            player.subreaper = True
            self.not_under_qemu.append("PR_SET_CHILD_SUBREAPER")
            self.add(player, "PRCTL", 36, 1)
        for parent in (player.number, self.born + 1):
            self.born += 1
            self.add(parent, "FORK", self.born, 0)
            self.world.fork(parent, self.born, True)
        middle, orphan = self.world[self.born - 1], self.world[self.born]
        if self.can_settle(middle):
            self.add(middle, "EXIT", self.number(0, 255), waits=True)
            self.settle(self.world.end(middle.number))
            self.add(orphan, "GETPPID")

    # --- memory -------------------------------------------------------------------------------------------

    def write_memory(self) -> None:
        player = self.actor()
        if player is None:
            return
        slot, page, count = self.number(0, 2), self.number(0, 3), self.number(0, 4)
        kind = self.number(0, 9)
        if kind <= 1:
            self.add(player, "MAP", slot, self.number(0, 3), count, self.number(0, 4), self.protection())
        elif kind == 2:
            self.add(player, "UNMAP", slot, page, count)
        elif kind == 3:
            if not count:
                self.not_under_qemu.append("mprotect of nothing")
            self.add(player, "PROTECT", slot, page, count, self.protection())
        elif kind == 4:
            self.not_under_qemu.append("madvise")
            self.add(player, "ADVISE", slot, page, count, self.one_of((4, 10, 11, 18, 19, 99)))
        elif kind <= 7:
            self.add(player, "TOUCH", slot, page, self.number(1, 255), self.number(0, 1))
        else:
            self.add(player, "LOOK", slot, page, 0, self.number(0, 1))

    def protection(self) -> int:
        """An index of player.c's `protections`."""
        index = self.number(0, 5)
        if index == 3:
            self.not_under_qemu.append("PROT_WRITE alone")
        return index

    def write_cells(self) -> None:
        player = self.actor()
        if player is None:
            return
        if self.chance():
            self.add(player, "POKE", self.number(0, 3), self.number(0, 1), self.number(1, 255))
        else:
            self.add(player, "PEEK", self.number(0, 3), self.number(0, 1))

    def write_brk(self) -> None:
        player = self.actor()
        if player is not None:
            down = self.number(0, 1)
            if down:
                self.not_under_qemu.append("brk down and up within a page keeps what is there")
            self.add(player, "BRK", down, self.number(0, 40))

    # --- pipes --------------------------------------------------------------------------------------------

    def write_pipe(self) -> None:
        player = self.actor()
        if player is None:
            return
        slot, kind = self.number(0, 2), self.number(0, 7)
        if kind == 0:
            self.add(player, "PIPE", slot, self.number(0, 1))
        elif kind <= 3:
            self.add(player, "WRITE", slot, self.number(0, 255), self.one_of((0, 0, 1, 5, 40)))
        elif kind <= 5:
            self.add(player, "READ", slot, self.number(0, 255))
        elif kind == 6:
            self.add(player, "CLOSE", slot, self.number(0, 1))
        else:
            self.add(player, "CLOEXEC", slot, self.number(0, 1), self.number(0, 1))

    # --- other files --------------------------------------------------------------------------------------

    def write_pidfd(self) -> None:
        player = self.actor()
        if player is None:
            return
        slot, kind = self.number(0, 1), self.one_of((0, 0, 1, 1, 2, 3, 4))
        options = NOHANG | self.number(0, 127)
        self.add(player, "PIDFD", slot, kind, self._whom(player), options)

    def write_event(self) -> None:
        player = self.actor()
        if player is not None:
            value = self.one_of((0, 1, 2, 3, 100, 254, 255))
            self.add(player, "EVENT", self.number(0, 1), self.number(0, 2), value, self.number(0, 1))

    def write_poll(self) -> None:
        player = self.actor()
        if player is not None:
            self.add(player, "POLL")

    def write_lock(self) -> None:
        player = self.actor()
        if player is not None:
            self.add(player, "LOCK", self.number(0, 4), self.number(0, 6), self.number(0, 5))

    def write_crowd(self) -> None:
        player = self.actor()
        if player is None or self.world.children(player.number) or player.action(w.CHLD) != w.DEFAULT:
            return
        if w.CHLD in player.blocked or player.flags(w.CHLD) & w.NOCLDWAIT:
            return
        kind = self.number(0, 3)
        if kind >= 2:
            self.add(player, "THREADS", self.number(0, 9), self.number(3, 5), self.number(0, 60))
        elif kind:
            self.add(player, "CROWD", self.number(1, 5), self.number(0, 40))
        else:
            self.add(player, "PIPELINE", self.number(1, 3), self.number(0, 200), self.number(0, 255))

    # --- the end ------------------------------------------------------------------------------------------

    def write_end(self) -> None:
        """Everybody ends, so that pid 1 finds them all."""
        while len(self.world.living()) > 1:
            target = next((p for p in self.world.living() if p.number != INIT and self.can_settle(p)), None)
            assert target is not None
            if target.state == w.STOPPED and not self.world.ends_when_continued(target.number):
                self._send(self.world[INIT], target, w.CONT, False)
            elif target.waits_for is not None or target.state == w.STOPPED:
                self._send(self.world[INIT], target, w.KILL, False)
            else:
                self.add(target, "EXIT", target.number, waits=True)
                self.settle(self.world.end(target.number))

    WRITERS = (
        (write_fork, 6),
        (write_exit, 3),
        (write_exec, 1),
        (write_vfork, 1),
        (write_kill, 6),
        (write_sigaction, 4),
        (write_sigmask, 3),
        (write_sigpending, 1),
        (write_sigtimedwait, 2),
        (write_wait, 4),
        (write_waitid, 4),
        (write_blocking_wait, 2),
        (write_identity, 1),
        (write_umask, 1),
        (write_groups, 5),
        (write_prctl, 2),
        (write_orphan, 3),
        (write_memory, 6),
        (write_cells, 3),
        (write_brk, 1),
        (write_pipe, 6),
        (write_crowd, 3),
        (write_pidfd, 3),
        (write_event, 2),
        (write_poll, 2),
        (write_lock, 4),
    )
    _CHOICES = tuple(writer for writer, weight in WRITERS for _ in range(weight))
    _THEMES = (
        _CHOICES,
        (write_kill, write_kill, write_sigaction, write_sigmask, write_sigmask, write_sigpending, write_sigtimedwait),
        (
            write_exit,
            write_kill,
            write_wait,
            write_waitid,
            write_blocking_wait,
            write_wait,
            write_waitid,
            write_sigaction,
        ),
        (write_groups, write_groups, write_wait, write_waitid, write_exit, write_orphan, write_prctl, write_kill),
        (write_memory, write_memory, write_memory, write_cells, write_brk, write_crowd, write_exec, write_vfork),
        (write_pipe, write_pipe, write_pipe, write_event, write_poll, write_exec, write_exit),
        (write_lock, write_lock, write_pidfd, write_pidfd, write_poll, write_exit, write_wait, write_kill),
    )

    def _step(self, choice: int) -> None:
        if choice == 0:
            self._CHOICES[self.number(0, len(self._CHOICES) - 1)](self)
        elif choice <= 2:
            self.write_fork()
        else:
            self.theme[self.number(0, len(self.theme) - 1)](self)

    def write(self, steps: int) -> Script:
        self.write_fork()
        for slot in range(self.number(0, 3)):
            self.add(1, "MAP", slot, self.number(0, 3), 4, self.number(2, 4), 2)
        if self.chance():
            self.add(1, "PIPE", 0, 0)
        for _ in range(steps):
            if len(self.operations) < MOST_OPERATIONS:
                self._step(self.number(0, 9))
        self.write_end()
        return Script(tuple(self.operations), tuple(dict.fromkeys(self.not_under_qemu)))


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Any script of up to 40 steps."""
    return Writer(lambda low, high: draw(st.integers(low, high))).write(draw(st.integers(3, 40)))
