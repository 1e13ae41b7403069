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

Answer = tuple[Any, "Translation | None"]


class Translator:
    """`ask` for the region around an address; `answers` gives what is there by now, in any order."""

    def __init__(self, cache: ObjectCache | None) -> None:
        origin()  # now, not when the first region is asked for: the files are still those that were imported
        self._cache = cache
        self._worker: Worker | None = None
        self._alone = False
        self._made = 0
        self._ready: list[Answer] = []
        self._names: dict[Any, str] = {}

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
        self._names[key] = name
        if not self._alone and self._ask_worker(key, request):
            return True
        if self._alone and self._made < MOST_ALONE:
            self._made += 1
            self._keep(key, translate(request))
            return True
        del self._names[key]
        return False

    def _kept(self, name: str, request: Request) -> Translation | None:
        """What the cache has, if all that it was made from is still so."""
        found = self._cache.load(name) if self._cache else None
        if found is None:
            return None
        translation = Translation(*pickle.loads(found))
        for page, low, high, content in translation.parts:
            if page not in request.pages or digest(request.pages[page][low:high]) != content:
                return None
        return translation

    def answers(self) -> list[Answer]:
        """What has been translated since the last call."""
        if self._worker is not None and self._worker.waiting:
            try:
                for key, translation in self._worker.answers():
                    self._keep(key, translation)
            except OSError:
                self._give_up()
        ready, self._ready = self._ready, []
        return ready

    def _ask_worker(self, key: Any, request: Request) -> bool:
        """Whether the worker took the request: not when it has too many, or there is none to be had."""
        try:
            self._worker = self._worker or Worker()
            if self._worker.waiting >= MOST_WAITING:
                return False
            self._worker.ask(key, request)
        except OSError:
            self._give_up()
            return False
        return True

    def _keep(self, key: Any, translation: Translation | None) -> None:
        name = self._names.pop(key, None)
        if self._cache and translation is not None and name is not None:
            self._cache.store(name, pickle.dumps(tuple(translation)))
        self._ready.append((key, translation))

    def _give_up(self) -> None:
        """No worker can be had, or it has ended: what was asked is lost, and from now on we translate ourselves."""
        self._alone, self._worker = True, None


def _name(request: Request) -> str:
    """The entry and its page, the machine's source, and LLVM; the other pages are compared when it is found."""
    page = request.pages[request.entry & -PAGE]
    return blake2b(b"%d %d %b " % (request.entry, request.counted, origin()) + page, digest_size=20).hexdigest()
