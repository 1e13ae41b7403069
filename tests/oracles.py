"""The programs that tests compare forkyard with: GNU binutils, gcc, qemu."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

# Tool → Debian package, for the message to the person who lacks it.
PACKAGES = {
    "gcc": "gcc linux-libc-dev",
    "riscv64-linux-gnu-as": "binutils-riscv64-linux-gnu",
    "riscv64-linux-gnu-ld": "binutils-riscv64-linux-gnu",
    "riscv64-linux-gnu-objdump": "binutils-riscv64-linux-gnu",
    "riscv64-linux-gnu-objcopy": "binutils-riscv64-linux-gnu",
    "riscv64-linux-gnu-readelf": "binutils-riscv64-linux-gnu",
    "riscv64-linux-gnu-ar": "binutils-riscv64-linux-gnu",
    "riscv64-linux-gnu-addr2line": "binutils-riscv64-linux-gnu",
    "riscv64-linux-gnu-gcc": "gcc-riscv64-linux-gnu",
    "x86_64-linux-gnu-gcc": "gcc-x86-64-linux-gnu",
    "qemu-riscv64": "qemu-user",
    "qemu-system-riscv64": "qemu-system-misc",
}


def need(tool: str) -> str:
    """The path of `tool`; without it the test is skipped, or fails in CI."""
    path = shutil.which(tool)
    if path is None:
        lacking(f"{tool} is not installed (Debian: apt install {PACKAGES.get(tool, tool)})")
    return path


def in_ci() -> bool:
    """Whether the environment variable CI says yes: set, and to nothing that says no."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def lacking(message: str) -> NoReturn:
    """Skip the test for want of something; fail in CI, which has everything."""
    if in_ci():
        pytest.fail(message)
    pytest.skip(message)
