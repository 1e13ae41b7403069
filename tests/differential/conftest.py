"""qemu, with binaries of its own machine that exec each other."""

from tests.programs.conftest import qemu

__all__ = ["qemu"]
