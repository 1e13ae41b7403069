"""Users: how many tasks go by each real user id, for RLIMIT_NPROC (Linux's ucounts).

Every thread counts from clone until nothing is left of it; a leader that has ended counts until its process is reaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import limits
from kernel.credentials import CAP_SYS_ADMIN, CAP_SYS_RESOURCE, ROOT
from kernel.errno import EAGAIN, SysError

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task


class Users:
    """uid → tasks. A user without tasks isn't in it."""

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: dict[int, int] = {}

    def add(self, uid: int) -> None:
        """One task more."""
        self._tasks[uid] = self._tasks.get(uid, 0) + 1

    def remove(self, uid: int) -> None:
        """One less."""
        self._tasks[uid] -= 1
        if not self._tasks[uid]:
            del self._tasks[uid]

    def tasks(self, uid: int) -> int:
        """How many this user has."""
        return self._tasks.get(uid, 0)

    def all(self) -> dict[int, int]:
        """Every user's, by uid. For the checker."""
        return dict(sorted(self._tasks.items()))

    def snapshot(self) -> dict[int, int]:
        """Plain data for `restore`."""
        return dict(self._tasks)

    def restore(self, data: dict[int, int]) -> None:
        """Takes back what `snapshot` gave."""
        self._tasks = dict(data)


def check_limit(k: Kernel, t: Task) -> None:
    """May the task's user have one task more? SysError(EAGAIN); root, and who has its powers, always may."""
    if k.users.tasks(t.cred.uid) < limits.soft(k, t, limits.NPROC):
        return
    if not (t.cred.uid == ROOT or t.cred.can(CAP_SYS_RESOURCE) or t.cred.can(CAP_SYS_ADMIN)):
        raise SysError(EAGAIN)
