"""What must be known of the players while a script is written: who lives, who can take a turn, and whom a signal ends.

This is no model of what the operations answer (real Linux is): only of what decides whether the play goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

HUP, INT, KILL, USR1, USR2, PIPE, TERM, CHLD, CONT, STOP, TSTP, WINCH = 1, 2, 9, 10, 12, 13, 15, 17, 18, 19, 20, 28
REALTIME = (35, 36)
STOPS = frozenset({STOP, TSTP})
_NO_ACTION = frozenset({CHLD, CONT, WINCH})
DEFAULT, IGNORE, HANDLER = 0, 1, 2
# The bits of SIGACTION's operand `c`, in the order of player.c.
RESTART, RESETHAND, NODEFER, NOCLDSTOP, NOCLDWAIT, SIGINFO = 1, 2, 4, 8, 16, 32
INIT = 0  # pid 1 is player 0

ACTING, STOPPED, ZOMBIE, GONE = "acting", "stopped", "zombie", "gone"


@dataclass
class Player:
    """One process of the play."""

    number: int
    parent: int
    state: str = ACTING
    tells: bool = True  # its parent gets SIGCHLD when it ends
    actions: dict[int, tuple[int, int]] = field(default_factory=lambda: {PIPE: (IGNORE, 0)})
    blocked: set[int] = field(default_factory=set)
    pending: set[int] = field(default_factory=set)
    waits_for: int | None = None  # the child whose end its blocking wait waits for
    group: int = INIT  # leader
    session: int = INIT
    subreaper: bool = False
    has_execed: bool = False
    execs: int = 0  # since the beginning of its line
    parents_death: int = 0  # the signal that prctl(PR_SET_PDEATHSIG) has asked for

    def action(self, signal: int) -> int:
        return self.actions.get(signal, (DEFAULT, 0))[0]

    def flags(self, signal: int) -> int:
        return self.actions.get(signal, (DEFAULT, 0))[1]

    def ignores(self, signal: int) -> bool:
        return self.action(signal) == IGNORE or (self.action(signal) == DEFAULT and signal in _NO_ACTION)


@dataclass(frozen=True)
class Change:
    """Something that a parent can wait for: the player has ended (4), stopped (2) or gone on (8)."""

    player: int
    parent: int
    what: int


class World:
    """The players by number. What happens is told by methods, which say what changed by it."""

    def __init__(self) -> None:
        self.players: dict[int, Player] = {INIT: Player(INIT, -1)}

    def __getitem__(self, number: int) -> Player:
        return self.players[number]

    def living(self) -> list[Player]:
        return [p for p in self.players.values() if p.state in (ACTING, STOPPED)]

    def acting(self) -> list[Player]:
        """Those who can take a turn."""
        return [p for p in self.players.values() if p.state == ACTING and p.waits_for is None]

    def children(self, number: int) -> list[Player]:
        return [p for p in self.players.values() if p.parent == number and p.state != GONE]

    def fork(self, parent: int, number: int, tells: bool) -> None:
        old = self.players[parent]
        new = Player(number, parent, tells=tells, actions=dict(old.actions), blocked=set(old.blocked))
        new.group, new.session, new.execs = old.group, old.session, old.execs
        self.players[number] = new

    def exec(self, number: int) -> None:
        player = self.players[number]
        player.actions = {s: (IGNORE, 0) for s, (handler, _) in player.actions.items() if handler == IGNORE}
        player.has_execed = True
        player.execs += 1

    def set_action(self, number: int, signal: int, handler: int, flags: int) -> None:
        player = self.players[number]
        player.actions[signal] = (handler, flags)
        if player.ignores(signal):
            player.pending.discard(signal)

    def end(self, number: int) -> list[Change]:
        """The player ends; the orphans are its reaper's."""
        player = self.players[number]
        reaper, orphans = self.reaper(player), self.children(number)
        for child in orphans:
            child.parent, child.tells = reaper, True
            if child.state == ZOMBIE and self._reaps_silently(self.players[reaper]):
                child.state = GONE
        player.state, player.waits_for = ZOMBIE, None
        parent = self.players[player.parent]
        if player.tells:
            if self._reaps_silently(parent):
                player.state = GONE
            self._queue(parent, CHLD)
        change = Change(number, player.parent, 4)
        if parent.waits_for == number:
            parent.waits_for = None
            player.state = GONE
        told = [change for child in orphans for change in self.send(child.number, child.parents_death)]
        return [change, *told]

    def reaper(self, player: Player) -> int:
        number = player.parent
        while number != INIT and not (self.players[number].subreaper and self.players[number] in self.living()):
            number = self.players[number].parent
        return number

    @staticmethod
    def _reaps_silently(parent: Player) -> bool:
        return parent.action(CHLD) == IGNORE or bool(parent.flags(CHLD) & NOCLDWAIT)

    @staticmethod
    def _queue(player: Player, signal: int) -> None:
        if signal in player.blocked:
            player.pending.add(signal)

    def send(self, number: int, signal: int) -> list[Change]:
        """A signal is sent to a player."""
        player = self.players[number]
        if player.state in (ZOMBIE, GONE) or not signal:
            return []
        changes = []
        if signal == CONT:
            player.pending -= STOPS
            if player.state == STOPPED:
                player.state = ACTING
                changes.append(Change(number, player.parent, 8))
        elif signal in STOPS:
            player.pending.discard(CONT)
        if signal in (KILL, STOP) or signal in player.blocked or not player.ignores(signal):
            player.pending.add(signal)
        return self.deliver(number) or changes

    def ends_when_continued(self, number: int) -> bool:
        """Is it stopped, with a signal waiting that ends it or stops it again when it goes on?"""
        player = self.players[number]
        waiting = player.pending - player.blocked - STOPS
        return player.state == STOPPED and any(player.action(s) == DEFAULT and not player.ignores(s) for s in waiting)

    def group(self, leader: int) -> list[Player]:
        """The living members of a process group."""
        return [p for p in self.living() if p.group == leader]

    def setpgid(self, caller: int, target: int, leader: int) -> None:
        """setpgid(2), when it succeeds."""
        player, able = self.players[target], self.players[caller]
        if target != caller and (player.parent != caller or player.has_execed):
            return
        if player.state == GONE or player.session != able.session or player.session == target:
            return
        if leader == target or any(p.session == able.session for p in self.group(leader)):
            player.group = leader

    def setsid(self, number: int) -> None:
        """setsid(2): not for somebody by whose pid a group goes already."""
        player = self.players[number]
        if not any(p.group == number for p in self.players.values() if p.state != GONE):
            player.group = player.session = number

    def deliver(self, number: int) -> list[Change]:
        """What isn't blocked is acted on, if the player isn't stopped."""
        player = self.players[number]
        if KILL in player.pending:
            return self.end(number)
        if player.state != ACTING:
            return []
        for signal in sorted(player.pending - player.blocked):
            player.pending.discard(signal)
            handler, flags = player.actions.get(signal, (DEFAULT, 0))
            if handler == HANDLER and signal not in (KILL, STOP):
                if flags & RESETHAND:
                    player.actions[signal] = (DEFAULT, flags)
            elif signal in STOPS:
                player.state = STOPPED
                return [Change(number, player.parent, 2)]
            elif not player.ignores(signal):
                return self.end(number)
        return []
