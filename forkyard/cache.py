"""A content-addressed cache of what was assembled, in the user's cache directory.

An entry's name is the hash of everything that its content follows from, so an entry is never stale. It is only ever an
optimisation: without a directory to write to, or with a damaged entry, the thing is made anew. On disk an entry is

    b"forkyard cache 1\\n"   16-byte digest of what follows   the content
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

try:  # hashlib would load all of OpenSSL, which takes as long as Python's own start
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

MAGIC = b"forkyard cache 1\n"
_DIGEST = 16
MOST = 1000  # entries; a sample program is about 15 KiB, a translated region a few
MOST_BYTES = 64 << 20


def digest(*parts: bytes) -> str:
    """A name for `parts` in hexadecimal; their boundaries count."""
    state = blake2b(digest_size=20)
    for part in parts:
        state.update(b"%d:" % len(part))
        state.update(part)
    return state.hexdigest()


def directory() -> str | None:
    """The user's cache directory for forkyard; None where there is none.

    The environment variable FORKYARD_CACHE names another one, or none if it is empty.
    """
    chosen = os.environ.get("FORKYARD_CACHE")
    if chosen is not None:
        return chosen or None
    if sys.platform.startswith("linux"):  # as platformdirs says, without the cost of asking it
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
        return os.path.join(base, "forkyard") if os.path.isabs(base) else None
    from platformdirs import user_cache_dir

    return user_cache_dir("forkyard", appauthor=False)


def load(name: str) -> bytes | None:
    """The entry's content; None if there is none or it is damaged."""
    folder = _trusted(directory())
    if folder is None:
        return None
    try:
        with open(os.path.join(folder, name), "rb", buffering=0) as file:
            data = file.read()
    except OSError:
        return None
    head = len(MAGIC)
    content = data[head + _DIGEST :]
    sound = data[:head] == MAGIC and data[head : head + _DIGEST] == blake2b(content, digest_size=_DIGEST).digest()
    return content if sound else None


def store(name: str, content: bytes) -> None:
    """Keeps `content`; whoever reads meanwhile sees the old entry or the new one, never a part. Failing is no error."""
    folder = directory()
    if folder is None:
        return
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if _trusted(folder) is None:
            return
        _prune()
        _replace(os.path.join(folder, name), MAGIC + blake2b(content, digest_size=_DIGEST).digest() + content)
    except OSError:
        return


def entries() -> list[tuple[float, int, str]]:
    """(time of writing, bytes, path) of every entry, the oldest first; none if the folder is missing or not ours."""
    folder = _trusted(directory())
    found = []
    for name in os.listdir(folder) if folder else ():
        path = os.path.join(folder or "", name)
        with suppress(OSError):  # another process may have dropped it meanwhile
            info = os.lstat(path)
            found.append((info.st_mtime, info.st_size, path))
    return sorted(found)


def clear() -> int:
    """Drops every entry; how many there were. Raises OSError if one cannot be dropped."""
    kept = entries()
    for _, _, path in kept:
        with suppress(FileNotFoundError):
            os.unlink(path)
    return len(kept)


def _prune() -> None:
    """Keeps the cache small: past MOST entries or MOST_BYTES, the older half goes."""
    kept = entries()
    for limit, sizes in ((MOST, [1] * len(kept)), (MOST_BYTES, [size for _, size, _ in kept])):
        total = sum(sizes)
        if total < limit:
            continue
        for size, (_, _, path) in zip(sizes, kept, strict=True):
            if total <= limit // 2:
                break
            total -= size
            with suppress(FileNotFoundError):
                os.unlink(path)


def _replace(path: str, data: bytes) -> None:
    """Writes a new file beside `path` and renames it over."""
    partial = f"{path}.{os.getpid()}.partial"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def _trusted(folder: str | None) -> str | None:
    """`folder` if it is ours alone: what others may write there must never be run in our name."""
    try:
        info = os.stat(folder) if folder else None
    except (OSError, ValueError):
        return None
    if info is None or not hasattr(os, "getuid"):
        return folder if info else None
    return folder if info.st_uid == os.getuid() and not info.st_mode & 0o022 else None
