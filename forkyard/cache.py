"""A content-addressed cache of what was assembled and translated, in the user's cache directory.

An entry's name is the hash of everything that its content follows from, so an entry is never stale. It is only ever an
optimisation: without a directory to write to, or with a damaged entry, the thing is made anew. On disk an entry is

    b"forkyard cache 2\\n"   16-byte digest of name and content   the content

in a file NAME.forkyard of mode 0600, in a folder of mode 0700. Machine code in it runs as the user, so folder and
file must be the user's own. Nothing else that lies in the folder is touched.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress

try:  # hashlib would load all of OpenSSL, which takes as long as Python's own start
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

MAGIC = b"forkyard cache 2\n"
SUFFIX = ".forkyard"
_DIGEST = 16
MOST = 1000  # entries; a sample program is about 15 KiB, a translated region a few
MOST_BYTES = 64 << 20
#: A process may add this part of both before it looks again at all that is there: looking takes a while.
_PART = 16
#: By folder: entries and bytes that it may still add.
_allowance: dict[str, tuple[int, int]] = {}
_BINARY = getattr(os, "O_BINARY", 0)


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
    folder = directory()
    if folder is None or refusal(folder):
        return None
    try:
        data = _own_file(os.path.join(folder, name + SUFFIX))
    except OSError:
        return None
    head = len(MAGIC) + _DIGEST
    content = data[head:]
    return content if data[:head] == _head(name, content) else None


def store(name: str, content: bytes) -> None:
    """Keeps `content`; whoever reads meanwhile sees the old entry or the new one, never a part. Failing is no error."""
    folder = directory()
    data = _head(name, content) + content
    if folder is None or len(data) > MOST_BYTES // 2:
        return
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not refusal(folder):
            _make_room(folder, len(data))
            _replace(os.path.join(folder, name), data)
    except OSError:
        return


def refusal(folder: str) -> str:
    """Why the folder is not used, in words; "" if it is ours alone: what others write must never run in our name."""
    try:
        info = os.stat(folder)
    except FileNotFoundError:
        return "it does not exist yet"
    except (OSError, ValueError):
        return "it cannot be reached"
    if not stat.S_ISDIR(info.st_mode):
        return "it is not a folder"
    if not hasattr(os, "geteuid"):
        return ""
    if info.st_uid != os.geteuid():
        return "it belongs to another user"
    return "others may use it, too (chmod 700 makes it yours alone)" if info.st_mode & 0o077 else ""


def entries() -> list[tuple[float, int, str]]:
    """(time of writing, bytes, path) of every entry, the oldest first; none if the folder is missing or not ours."""
    folder = directory()
    found = []
    for name in os.listdir(folder) if folder is not None and not refusal(folder) else ():
        if name.endswith(SUFFIX):
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


def _make_room(folder: str, more: int) -> None:
    """Before an entry of so many bytes: past MOST entries or MOST_BYTES the older half goes."""
    count, size = _allowance.get(folder, (0, 0))
    if count < 1 or size < more:
        count, size = MOST // _PART, MOST_BYTES // _PART
        kept = entries()
        _prune(kept, [1] * len(kept), MOST - count - 1)
        _prune(kept, [size for _, size, _ in kept], MOST_BYTES - size - more)
    _allowance[folder] = count - 1, size - more


def _prune(kept: list[tuple[float, int, str]], sizes: list[int], limit: int) -> None:
    """If they are more than `limit` together, drops the oldest until half of that is left."""
    total = sum(sizes)
    if total <= limit:
        return
    for size, (_, _, path) in zip(sizes, kept, strict=True):
        if total <= limit // 2:
            break
        total -= size
        with suppress(OSError):
            os.unlink(path)


def _head(name: str, content: bytes) -> bytes:
    """What stands before the content."""
    return MAGIC + blake2b(name.encode() + b"\n" + content, digest_size=_DIGEST).digest()


def _own_file(path: str) -> bytes:
    """A file's content. Raises OSError if others can write it, too: the folder may not be what it was a moment ago."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)  # a pipe is no entry, but may be there
    with open(handle, "rb", buffering=0) as file:
        info = os.fstat(handle)
        if hasattr(os, "geteuid") and (info.st_uid != os.geteuid() or info.st_mode & 0o022):
            raise PermissionError(path)
        return file.read()


def _replace(path: str, data: bytes) -> None:
    """Writes a new file beside the entry at `path` and renames it over."""
    partial = f"{path}.{os.urandom(6).hex()}{SUFFIX}"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.replace(partial, path + SUFFIX)
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)
        raise
