"""Runs guest programs under qemu-riscv64 as they run here: init is pid 1, and /bin has our samples, nothing else.

qemu-riscv64 runs one program; when that calls exec, the host's kernel is asked to run a RISC-V file, and must be told
how. That is binfmt_misc, and since Linux 6.7 each user namespace can have its own, so that no privilege is needed and
nothing on the host is changed. What works, and the traps on the way:

- `unshare --user --map-root-user --mount`: in there we may mount. A tmpfs becomes the guest's root.
- binfmt_misc is mounted inside the namespace and must *stay* mounted: unmounting it forgets what was registered.
- Flag F: the kernel opens qemu at once, so that it is found when the root is another one. Flag P: the program's argv[0]
  arrives as exec's caller gave it (qemu 5.2 and later understand this); without it, it would be the path of the file.
- qemu itself is a dynamic executable of the host: its loader and libraries must be visible at their usual places, so
  /usr is bound into the root, and /lib, /lib64 are the links (or folders) that the host has.
- Each program gets a pid namespace of its own, `unshare --pid --fork`, then chroot. The first process in it is our
  init, under qemu: orphans go to it as they would here.

What differs from forkyard even so: pids; the order of the environment (qemu hands it on in reverse); what /dev and /usr
show. So the samples print none of these.

This file is also the program that runs inside the namespace: it reads the runs as JSON from stdin and writes what came
of them to stdout.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypedDict

SECONDS = 60  # for one program; they take a fraction of one

# The first 20 bytes of an ELF64 executable for RISC-V, and which of their bits count.
MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00"
MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"


class Case(TypedDict):
    """A Run as it travels into the namespace."""

    words: list[str]
    stdin: str


class Run(NamedTuple):
    """A program to run: /bin/init gets these words."""

    words: list[str]
    stdin: bytes = b""


class Result(NamedTuple):
    """What a program left."""

    stdout: bytes
    stderr: bytes
    status: int


class NoBox(Exception):
    """The host doesn't allow such a namespace. The message says what failed."""


def run(executables: Path, runs: Iterable[Run]) -> list[Result]:
    """Runs each of `runs` with the files of the directory `executables` (init among them) as /bin. Raises NoBox."""
    cases = [Case(words=r.words, stdin=base64.b64encode(r.stdin).decode()) for r in runs]
    inside = [sys.executable, __file__, str(executables), _qemu()]
    words = ["unshare", "--user", "--map-root-user", "--mount", "--kill-child", "--fork", *inside]
    with tempfile.TemporaryDirectory(prefix="qemu-box-") as root:
        done = subprocess.run([*words, root], input=json.dumps(cases).encode(), capture_output=True, check=False)
    if done.returncode:
        raise NoBox(f"no private namespace for qemu: {done.stderr.decode(errors='replace').strip()}")
    return [
        Result(base64.b64decode(r["stdout"]), base64.b64decode(r["stderr"]), r["status"])
        for r in json.loads(done.stdout)
    ]


def try_it() -> None:
    """Raises NoBox if this host can't run anything so."""
    with tempfile.TemporaryDirectory() as empty:
        run(Path(empty), [])


def _qemu() -> str:
    path = shutil.which("qemu-riscv64")
    if path is None:
        raise NoBox("qemu-riscv64 is not installed (Debian: apt install qemu-user)")
    return os.path.realpath(path)


# --- inside the namespace ----------------------------------------------------------------------------------


def _main(executables: str, qemu: str, root: str) -> None:
    _make_root(Path(root), executables)
    _register(Path(root) / "binfmt_misc", qemu)
    print(json.dumps([_run_one(root, case) for case in json.load(sys.stdin)]))


def _make_root(root: Path, executables: str) -> None:
    _mount("-t", "tmpfs", "tmpfs", root)
    for name, source in (("bin", executables), ("usr", "/usr"), ("dev", "/dev")):
        (root / name).mkdir()
        _mount("--rbind", source, root / name)
    for name in ("lib", "lib64"):
        host = Path("/") / name
        if host.is_symlink():
            (root / name).symlink_to(os.readlink(host))
        elif host.is_dir():
            (root / name).mkdir()
            _mount("--rbind", host, root / name)
    for name in ("tmp", "binfmt_misc"):
        (root / name).mkdir()


def _register(folder: Path, qemu: str) -> None:
    _mount("-t", "binfmt_misc", "binfmt_misc", folder)
    (folder / "register").write_text(f":riscv64:M::{MAGIC}:{MASK}:{qemu}:PF")


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


def _run_one(root: str, case: Case) -> dict[str, str | int]:
    own_pids = [_tool("unshare"), "--pid", "--fork", "--kill-child"]
    words = [*own_pids, _tool("chroot"), root, "/bin/init", *case["words"]]
    stdin, env = base64.b64decode(case["stdin"]), {"PATH": "/bin"}
    done = subprocess.run(words, input=stdin, capture_output=True, timeout=SECONDS, check=False, env=env)
    return {
        "stdout": base64.b64encode(done.stdout).decode(),
        "stderr": base64.b64encode(done.stderr).decode(),
        "status": done.returncode if done.returncode >= 0 else 128 - done.returncode,
    }


def _tool(name: str) -> str:
    """Its path: the program inside gets an environment in which it couldn't be found."""
    return shutil.which(name) or f"/usr/sbin/{name}"


if __name__ == "__main__":
    _main(*sys.argv[1:])
