"""Where translations of regions come from: the cache on disk, a worker process, or, where there is none, right here."""

from __future__ import annotations

import pickle
from hashlib import blake2b
from typing import Any

from vm.native.code import ObjectCache, origin
from vm.native.worker import Request, Translation, Worker, digest, translate
from vm.ram import PAGE

#: Requests that may wait for the worker; past that a hot jump asks again later.
MOST_WAITING = 8
#: Regions translated in our own process at most: LLVM leaks something with each, and no worker begins anew for us.
MOST_ALONE = 10_000
#: Workers that may end before their time; after that we do without.
MOST_ENDED = 3
#: The answer to what a worker was asked that has ended: ask again.
LOST = Translation([], "", b"")

#: What was asked for by its key, and None if there is no region.
Answer = tuple[Any, "Translation | None"]


class Translator:
    """`ask` for the region around an address; `answers` gives what is there by now, in any order."""

    def __init__(self, cache: ObjectCache | None) -> None:
        origin()  # now, not when the first region is asked for: the files are still those that were imported
        self._cache = cache
        self._worker: Worker | None = None
        self._alone = False
        self._made = self._ended = self._numbers = 0
        self._ready: list[Answer] = []
        self._asked: dict[int, tuple[Any, str]] = {}
        self._suspect = ""

    @property
    def waiting(self) -> bool:
        """Whether `answers` may have something to give."""
        return bool(self._ready) or (self._worker is not None and self._worker.waiting > 0)

    def ask(self, key: Any, request: Request) -> bool:
        """Ask for a region; False if too many requests wait, or too many were translated without a worker."""
        name = "region-" + _name(request)
        kept = self._kept(name, request)
        if kept is not None:
            self._ready.append((key, kept))
            return True
        if not self._alone and self._ask_worker(key, name, request):
            return True
        if self._alone and self._made < MOST_ALONE:
            self._made += 1
            self._keep(key, name, translate(request))
            return True
        return False

    def _kept(self, name: str, request: Request) -> Translation | None:
        """What the cache has, if all that it was made from is still so."""
        found = self._cache.load(name) if self._cache is not None else None
        if found is None:
            return None
        translation = Translation(*pickle.loads(found))
        for page, low, high, content in translation.parts:
            if page not in request.pages or digest(request.pages[page][low:high]) != content:
                return None
        return translation

    def answers(self) -> list[Answer]:
        """What has been translated since the last call, and what is LOST."""
        if self._worker is not None and self._worker.waiting:
            try:
                for number, translation in self._worker.answers():
                    self._keep(*self._asked.pop(number), translation)
            except OSError:
                self._lose(self._worker)
        ready, self._ready = self._ready, []
        return ready

    def _ask_worker(self, key: Any, name: str, request: Request) -> bool:
        """Whether the worker took the request: not when it has too many, or there is none to be had."""
        worker = self._worker or self.hire()
        if worker is None or worker.waiting >= MOST_WAITING:
            return False
        self._numbers += 1
        try:
            worker.ask(self._numbers, request)
        except OSError:
            self._lose(worker)
            return False
        self._asked[self._numbers] = key, name
        return True

    def hire(self) -> Worker | None:
        """A new worker; where none can be had, from now on we translate ourselves."""
        try:
            self._worker = Worker()
        except OSError:
            self._alone = True
        return self._worker

    def _keep(self, key: Any, name: str, translation: Translation | None) -> None:
        if self._cache is not None and translation is not None:
            self._cache.store(name, pickle.dumps(tuple(translation)))
        self._ready.append((key, translation))

    def _lose(self, worker: Worker) -> None:
        """The worker has ended, and with it what it was asked. The next request hires another, up to MOST_ENDED.

        What two workers were at when they ended is not asked for again: it may be LLVM that cannot bear it.
        """
        worker.close()
        self._worker = None
        self._ended += 1
        self._alone = self._ended >= MOST_ENDED
        first = next(iter(self._asked.values()), (None, ""))
        for key, name in self._asked.values():
            self._ready.append((key, None if name == first[1] == self._suspect else LOST))
        self._suspect = first[1]
        self._asked.clear()


def _name(request: Request) -> str:
    """The entry and its page, the machine's source, and LLVM; the other pages are compared when it is found."""
    page = request.pages[request.entry & -PAGE]
    return blake2b(b"%d %d %b " % (request.entry, request.counted, origin()) + page, digest_size=20).hexdigest()
