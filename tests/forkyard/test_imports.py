"""What may import what, where import-linter's contracts would have to list every module; and what start-up may cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.forkyard.conftest import TOP

# Each of these costs milliseconds, and `hello` needs none of them.
HEAVY = (
    "lark",
    "llvmlite",
    "dataclasses",
    "inspect",
    "logging",
    "pathlib",
    "subprocess",
    "tempfile",
    "json",
    "hashlib",
    "platformdirs",
    "asyncio",
)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def test_the_instruction_definitions_import_nothing_but_themselves_and_the_standard_library() -> None:
    for path in (TOP / "vm" / "isa").glob("*.py"):
        for name in imported(path):
            ours = name.split(".")[0] in ("vm", "asm", "kernel", "forkyard")
            assert not ours or name == "vm.isa" or name.startswith("vm.isa."), f"{path.name} imports {name}"


def test_the_machine_needs_nothing_but_the_standard_library_and_its_llvm_engine_llvmlite() -> None:
    for package in ("vm", "kernel"):
        for path in (TOP / package).rglob("*.py"):
            for name in imported(path):
                if name in ("llvmlite", "llvmlite.binding"):
                    assert path == TOP / "vm" / "native" / "code.py", f"only the compiler talks to LLVM, not {path}"
                    continue
                top = name.split(".")[0]
                assert top in sys.stdlib_module_names or top in ("vm", "kernel", "asm", "."), f"{path} imports {name}"


def test_hello_loads_nothing_heavy_once_it_is_cached(tmp_path: Path) -> None:
    hello = str(TOP / "programs" / "hello.s")
    code = (
        "import sys; from forkyard.cli import main; "
        f"main(['run', {hello!r}]); before = main(['run', {hello!r}]); "
        f"sys.exit(repr([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    environment = {"FORKYARD_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(TOP), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", code]
    subprocess.run(command, env=environment, capture_output=True, check=False)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


def test_little_is_imported_before_control_c_is_taken_care_of() -> None:
    code = "import sys; before = set(sys.modules); import forkyard.__main__; print(*sorted({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TOP, check=True)
    assert set(done.stdout.split()) <= {"__future__", "forkyard", "forkyard.__main__"}


def test_the_tree_names_no_heavy_import_in_a_package_file() -> None:
    for package in ("vm", "asm", "kernel", "vm/isa", "kernel/fs", "kernel/syscalls"):
        names = [n for n in imported(TOP / package / "__init__.py") if n.split(".")[0] in HEAVY]
        assert names == []
