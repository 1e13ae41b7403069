"""Built once for all tests of this folder: the samples by GNU tools, and by ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from forkyard.samples import Samples
from tests.oracles import lacking, need
from tests.programs import gnu, here, qemu_box, samples


@pytest.fixture(scope="session")
def gnu_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every sample, built by GNU as and ld."""
    folder = tmp_path_factory.mktemp("gnu") / "bin"
    gnu.build(folder, samples.names())
    return folder


@pytest.fixture(scope="session")
def gnu_bin(gnu_folder: Path) -> here.Folder:
    """The same as a /bin for our kernel."""
    return here.Folder(gnu_folder)


@pytest.fixture(scope="session")
def our_bin() -> Samples:
    """Every sample, built by our assembler and linker when it is first looked at: the /bin of `forkyard run`."""
    return Samples()


@pytest.fixture(scope="session")
def our_folder(our_bin: Samples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as files, for qemu."""
    folder = tmp_path_factory.mktemp("ours")
    for name in samples.names():
        file = folder / name
        file.write_bytes(our_bin.load(name))
        file.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def qemu() -> None:
    """Asks for a host that can run guest programs under qemu with a /bin and an init of their own."""
    need("qemu-riscv64")
    try:
        qemu_box.try_it()
    except qemu_box.NoBox as no:
        lacking(str(no))
