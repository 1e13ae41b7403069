"""The wheel has everything: a package or a data file that is not listed works in the source tree and nowhere else."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

from tests.forkyard.conftest import TOP

SETUPTOOLS = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def package_of(folder: Path) -> str:
    """The package that a folder is shipped as: the samples are within forkyard."""
    name = ".".join(folder.relative_to(TOP).parts)
    return f"forkyard.{name}" if name.startswith("programs") else name


def shipped_folders() -> list[Path]:
    found = [folder for top in ("vm", "asm", "kernel", "forkyard", "programs") for folder in (TOP / top).rglob("*")]
    tops = [TOP / top for top in ("vm", "asm", "kernel", "forkyard", "programs")]
    return [folder for folder in [*tops, *found] if folder.is_dir() and folder.name != "__pycache__"]


def test_every_folder_is_a_listed_package() -> None:
    assert sorted(package_of(folder) for folder in shipped_folders()) == sorted(SETUPTOOLS["packages"])


def test_every_data_file_is_matched_by_a_pattern() -> None:
    missing = []
    for folder in shipped_folders():
        patterns = [*SETUPTOOLS["package-data"]["*"], *SETUPTOOLS["package-data"].get(package_of(folder), [])]
        for file in folder.iterdir():
            if file.is_file() and file.suffix not in (".py", ".pyc", ".md", "", ".o"):  # the last two a user made
                missing += [] if any(fnmatch(file.name, pattern) for pattern in patterns) else [str(file)]
    assert missing == []
