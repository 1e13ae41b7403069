"""Where scripts are played: on this machine, under qemu-riscv64, and natively on the host's own kernel."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kernel import boot
from kernel.check import check_end
from kernel.config import Config
from kernel.door import STDOUT, Door
from tests.differential.scripts import SOURCE, Script
from tests.oracles import lacking, need
from tests.programs import here, qemu_box

COMMON = ("-O1", "-Wall", "-Wextra", "-Werror", "-nostdlib", "-static", "-ffreestanding", "-fno-builtin")
RISCV = ("riscv64-linux-gnu-gcc", "-march=rv64ima", "-mabi=lp64")
NATIVE = ("gcc", "-fno-stack-protector", "-fno-pie", "-no-pie", "-fcf-protection=none")
MOST_INSTRUCTIONS = 400_000_000


def build(folder: Path, compiler: tuple[str, ...]) -> Path:
    """player.c as folder/init."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [need(compiler[0]), *compiler[1:], *COMMON, "-o", str(folder / "init"), str(SOURCE)]
    subprocess.run(words, check=True)
    return folder


def need_native() -> None:
    if platform.machine() != "x86_64":
        lacking("the native build of player.c is for x86-64")


def in_box(folder: Path, scripts: Iterable[Script]) -> list[str]:
    """What each script writes on the host's kernel: under qemu, or natively, whichever the folder's init is for."""
    stdin = b"".join(script.encode() for script in scripts)
    done = qemu_box.run(folder, [qemu_box.Run([], stdin)])[0]
    return _split(done.stdout.decode(), done.status)


def on_forkyard(folder: Path, scripts: Iterable[Script], **options: Any) -> list[str]:
    """What each writes here. Nothing may be left in the machine afterwards."""
    door = Door(b"".join(script.encode() for script in scripts))
    config = Config(max_insns=MOST_INSTRUCTIONS, memory=64 << 20, **options)
    kernel = boot.prepare(config, door, here.Folder(folder))
    boot.start(kernel, b"/bin/init", [b"init"])
    outcome = kernel.run()
    parts = _split(bytes(door.output[STDOUT]).decode(), outcome.status)
    if outcome.kind != "exited":
        return [*parts, f"{outcome}"]
    check_end(kernel)
    return parts


def _split(output: str, status: int) -> list[str]:
    parts = output.split("\n.\n")
    assert parts[-1] == "" or status, output
    return parts if status else parts[:-1]
