"""forkyard run: exit statuses, and streams byte for byte."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from forkyard.__main__ import run
from tests.forkyard.conftest import PROGRAMS, TOP, Forkyard

EXIT = "    .globl _start\n_start: li a0, {}\n    li a7, 93\n    ecall\n"
FOREVER = "    .globl _start\n_start: j _start\n"
# The child waits for input from a pipe whose writing end it holds itself, and so does the parent: for ever.
DEADLOCK = """
    .include "syscalls.inc"
    .bss
ends: .zero 8
byte: .zero 8
    .text
    .globl _start
_start:
    la   a0, ends
    call pipe
    call fork
    la   t0, ends
    lw   a0, 0(t0)
    la   a1, byte
    li   a2, 1
    call read
    li   a0, 0
    call exit
"""


def spawn(*words: object, cwd: Path | None = None) -> subprocess.Popen[bytes]:
    """A real process, for what pipes and signals do."""
    command = [sys.executable, "-m", "forkyard", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=cwd)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "program.s"


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_the_exit_status_is_the_programs(status: int, source: Path, forkyard: Forkyard) -> None:
    source.write_text(EXIT.format(status))
    assert forkyard("run", source) == (status, "", "")


def test_only_eight_bits_of_a_status_count(source: Path, forkyard: Forkyard) -> None:
    source.write_text(EXIT.format(0x1234))
    assert forkyard("run", source).status == 0x34


def test_max_insns(source: Path, forkyard: Forkyard) -> None:
    source.write_text(FOREVER)
    result = forkyard("run", "--max-insns", "10_000", source)
    assert result.status == 124
    assert result.err == "forkyard: stopped: --max-insns 10000 was reached, with processes still running\n"


def test_max_insns_counts_exactly(source: Path, forkyard: Forkyard) -> None:
    source.write_text(EXIT.format(3))
    needed = int(
        next(line.split()[2] for line in forkyard("run", "--stats", source).err.splitlines() if "instr" in line)
    )
    assert forkyard("run", "--max-insns", needed + 1, source).status == 3
    assert forkyard("run", "--max-insns", needed - 1, source).status == 124


def test_a_deadlock_says_who_waits_for_what(source: Path, forkyard: Forkyard) -> None:
    source.write_text(DEADLOCK)
    result = forkyard("run", source)
    assert result.status == 125
    lines = result.err.splitlines()
    assert lines[0] == "forkyard: deadlock: every process waits for something that can never happen"
    assert lines[1].startswith("forkyard:   process 1 (init) waits in wait4 for a child")
    assert lines[2].startswith("forkyard:   process 2 (program) waits in read for ")
    assert lines[3].startswith("forkyard:   process 3 (program) waits in read for ")


DEADLOCK_OF_THREADS = """
    .include "syscalls.inc"
    .data
word: .word 5
    .text
    .globl _start
_start:
    la   a0, sleeper
    call thread_create
    call thread_join
sleeper:
    la   a0, word
    li   a1, 5
    call futex_wait
"""


def test_a_deadlock_of_threads_says_who_waits_for_which_futex(source: Path, forkyard: Forkyard) -> None:
    source.write_text(DEADLOCK_OF_THREADS)
    result = forkyard("run", source)
    assert result.status == 125
    lines = result.err.splitlines()
    assert lines[2].startswith("forkyard:   process 2 (program) waits in futex for the futex at 0x")
    assert lines[3].startswith("forkyard:   thread 3 of process 2 (program) waits in futex for the futex at 0x1")


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        (b"", 126, "is empty"),
        (b"\x7fELF", 126, "no executable that this machine can run"),
        (b"hello", 126, "neither assembly (named .s or .S) nor an ELF executable"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + bytes(44), 126, "another machine"),
    ],
)
def test_files_that_cannot_run(content: bytes, status: int, says: str, tmp_path: Path, forkyard: Forkyard) -> None:
    (tmp_path / "file").write_bytes(content)
    result = forkyard("run", tmp_path / "file")
    assert (result.status, result.out) == (status, "")
    assert says in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["run", "asm", "disasm"])
def test_a_pipe_or_a_device_is_no_program(command: str, tmp_path: Path, forkyard: Forkyard) -> None:
    """It can't be read twice, may have no end, and a pipe without a writer would be waited for."""
    os.mkfifo(tmp_path / "fifo.s")
    for name in (tmp_path / "fifo.s", "/dev/zero"):
        result = forkyard(command, name)
        assert (result.status, result.out) == (126, "")
        assert f"{name}: is a pipe or a device" in result.err


def test_an_object_is_not_linked_yet(tmp_path: Path, forkyard: Forkyard) -> None:
    assert forkyard("asm", "-c", PROGRAMS / "hello.s", "-o", tmp_path / "hello.o").status == 0
    result = forkyard("run", tmp_path / "hello.o")
    assert result.status == 126
    assert "forkyard asm" in result.err


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("nothing.s", 127, "no such file"),
        ("a\0b.s", 127, "NUL"),
        (".", 126, "is a directory"),
        ("hello", 127, "there is a sample program of that name"),
        ("x" * 300, 126, "too long"),
    ],
)
def test_files_that_are_not_there(name: str, status: int, says: str, forkyard: Forkyard) -> None:
    result = forkyard("run", name)
    assert result.status == status
    assert says in result.err


def test_an_assembly_error_names_file_line_and_column(source: Path, forkyard: Forkyard) -> None:
    source.write_text("    .globl _start\n_start:\n    addd a0, a1, a2\n    frobnicate\n")
    result = forkyard("run", source)
    assert result.status == 1
    assert f"{source}:3:5: error:" in result.err
    assert "\n    ^" in result.err or "^~~~" in result.err
    assert "add" in result.err
    assert f"{source}:4:5: error:" in result.err, "all errors of a file in one run"


def test_a_source_without_start_says_why_one_is_needed(source: Path, forkyard: Forkyard) -> None:
    source.write_text("main: ret\n")
    result = forkyard("run", source)
    assert result.status == 1
    assert "_start" in result.err


def test_bytes_go_through_as_they_are(tmp_path: Path) -> None:
    everything = bytes(range(256)) * 100
    process = spawn("run", PROGRAMS / "cat.s")
    assert process.communicate(everything, timeout=60) == (everything, b"")
    (tmp_path / "input").write_bytes(everything)
    with (tmp_path / "input").open("rb") as file:
        command = [sys.executable, "-m", "forkyard", "run", str(PROGRAMS / "cat.s")]
        done = subprocess.run(command, stdin=file, capture_output=True, cwd=TOP, timeout=60, check=False)
    assert done.stdout == everything


def test_output_is_seen_as_it_happens() -> None:
    process = spawn("run", PROGRAMS / "cat.s")
    assert process.stdin and process.stdout
    for line in (b"one\n", b"two\n"):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == line
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_when_nobody_reads_the_output_the_run_is_over() -> None:
    process = spawn("run", PROGRAMS / "yes.s")
    assert process.stdout and process.stderr
    assert process.stdout.readline() == b"y\n"
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""


def test_control_c_ends_it_with_130(source: Path) -> None:
    source.write_text(
        '    .globl _start\n_start: li a0, 1\n la a1, go\n li a2, 3\n li a7, 64\n ecall\n1: j 1b\ngo: .ascii "go\\n"\n'
    )
    process = spawn("run", source)
    assert process.stdout and process.stderr
    assert process.stdout.readline() == b"go\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert b"SIGINT" in process.stderr.read()


def test_control_c_while_it_starts(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """A module that is being imported when the signal comes raises KeyboardInterrupt."""

    def interrupted(name: str) -> object:
        raise KeyboardInterrupt

    cli = ModuleType("forkyard.cli")
    cli.__getattr__ = interrupted  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "forkyard.cli", cli)
    assert run() == 130
    assert capfd.readouterr() == ("", "forkyard: interrupted\n")


def test_a_deleted_working_directory(tmp_path: Path) -> None:
    code = f"rmdir {tmp_path / 'gone'}; exec {sys.executable} -m forkyard run hello.s"
    (tmp_path / "gone").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run(
        ["sh", "-c", code], capture_output=True, cwd=tmp_path / "gone", env=environment, timeout=60, check=False
    )
    assert done.returncode == 127
    assert done.stderr == b"forkyard: hello.s: no such file; the working directory has been deleted\n"


def test_a_program_larger_than_its_address_space(source: Path, forkyard: Forkyard) -> None:
    source.write_text("    .globl _start\n_start: nop\n    .bss\n    .space 1 << 38\n")
    result = forkyard("run", source)
    assert result.status == 126
    assert "the program is too large" in result.err


def test_more_memory_than_the_host_gives(monkeypatch: pytest.MonkeyPatch, forkyard: Forkyard) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr("vm.ram.mmap.mmap", refuse)
    result = forkyard("run", "--memory", "64G", PROGRAMS / "hello.s")
    assert result.status == 2
    assert "--memory" in result.err


def test_a_full_disk_is_said(forkyard: Forkyard) -> None:
    command = [sys.executable, "-m", "forkyard", "run", str(PROGRAMS / "hello.s")]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=TOP, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == b"forkyard: standard output: No space left on device\n"


def test_closed_descriptors_are_nobodys_file(tmp_path: Path) -> None:
    """Without care, the trace's file would get the number of the closed stdout, and the program's output with it."""
    trace = tmp_path / "trace"
    code = f"exec {sys.executable} -m forkyard trace -o {trace} {PROGRAMS / 'hello.s'} <&- >&-"
    done = subprocess.run(["sh", "-c", code], capture_output=True, cwd=TOP, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Hello" not in trace.read_bytes().splitlines()


def test_sleeping_takes_no_time_without_a_terminal() -> None:
    start = time.monotonic()
    process = spawn("run", PROGRAMS / "sleep.s", "3600")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert time.monotonic() - start < 60


def test_arguments_and_environment_are_the_programs(forkyard: Forkyard) -> None:
    assert forkyard("run", PROGRAMS / "args.s", "--stats", "-x", "").out.count("--stats") == 1
    out = forkyard("run", "--env", "A=1", "--env", "B=x=y", "--env", "A=2", PROGRAMS / "env.s").out
    assert out == "PATH=/bin\nA=2\nB=x=y\n"


def test_a_source_runs_from_any_folder(forkyard: Forkyard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert forkyard("run", PROGRAMS / "family.s").out == (PROGRAMS / "family.out").read_text()
    (tmp_path / "mine.s").write_text((PROGRAMS / "hello.s").read_text())
    assert forkyard("run", "mine.s").out == "Hello from a process!\n"


def test_a_program_named_like_a_sample_takes_nobodys_place(forkyard: Forkyard, tmp_path: Path) -> None:
    (tmp_path / "init.s").write_text(EXIT.format(7))
    assert forkyard("run", tmp_path / "init.s") == (7, "", "")
    (tmp_path / "echo.s").write_text((PROGRAMS / "family.s").read_text())
    assert forkyard("run", tmp_path / "echo.s").out == (PROGRAMS / "family.out").read_text()


def test_further_sources(forkyard: Forkyard, tmp_path: Path) -> None:
    (tmp_path / "a.s").write_text("    .globl _start\n_start: call answer\n    li a7, 93\n    ecall\n")
    (tmp_path / "b.s").write_text("    .globl answer\nanswer: li a0, 42\n    ret\n")
    assert forkyard("run", "--with", tmp_path / "b.s", tmp_path / "a.s").status == 42
    assert forkyard("run", tmp_path / "a.s").status == 1


def test_what_asm_makes_runs_as_its_source_does(forkyard: Forkyard, tmp_path: Path) -> None:
    assert forkyard("asm", PROGRAMS / "family.s", "-o", tmp_path / "family").status == 0
    assert (tmp_path / "family").stat().st_mode & 0o111
    assert forkyard("run", tmp_path / "family").out == (PROGRAMS / "family.out").read_text()


def test_stats_keep_the_guests_figures_apart_from_the_hosts(forkyard: Forkyard) -> None:
    first, second = (forkyard("run", "--stats", PROGRAMS / "family.s").err for _ in range(2))
    guest, host = first.split("forkyard: the host")
    assert second.startswith(guest), "the guest's figures are the same in every run"
    for figure in (
        "instructions",
        "traps",
        "cow-copy",
        "cow-reuse",
        "demand",
        "forks",
        "frames in use",
        "frames at most",
    ):
        assert f"  {figure} " in guest
    for figure in ("TLB hits", "TLB misses", "wall time", "MIPS"):
        assert figure in host


@pytest.fixture
def no_llvmlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without llvmlite: importing it fails."""
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    for name in [name for name in sys.modules if name.startswith("vm.native")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("no_llvmlite")
def test_an_engine_that_is_not_here_is_an_error_not_a_substitute(forkyard: Forkyard) -> None:
    result = forkyard("run", "--engine", "llvm", PROGRAMS / "hello.s")
    assert result.status == 2
    assert "pip install llvmlite" in result.err


@pytest.mark.usefixtures("no_llvmlite")
def test_without_llvmlite_a_long_program_stays_on_the_python_engine(
    forkyard: Forkyard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vm.engine.WORTHWHILE", 100)
    result = forkyard("run", "--stats", PROGRAMS / "hello.s")
    assert result.status == 0
    assert "blocks compiled" in result.err


def test_a_first_program_is_written_and_runs(forkyard: Forkyard, tmp_path: Path) -> None:
    result = forkyard("new", tmp_path / "first")
    assert result.status == 0
    assert forkyard("run", tmp_path / "first.s").out == "child:  I am a copy of my parent\nparent: my child has ended\n"
    again = forkyard("new", tmp_path / "first.s")
    assert again.status == 2
    assert "is there already" in again.err
    assert forkyard("new", tmp_path / "no" / "first").status == 2


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        (os.fsdecode(b"q\xfe"), "forkyard run 'q\\udcfe.s'"),
        ("two words", "forkyard run 'two words.s'"),
        ("-x", "forkyard run ./-x.s"),
    ],
)
def test_the_first_program_may_have_any_name(
    forkyard: Forkyard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, advice: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = forkyard("new", "--", name)
    assert result.status == 0
    assert advice in result.err
    assert os.fsencode(f"{name}.s") in Path(f"{name}.s").read_bytes()
    assert forkyard("run", f"./{name}.s").status == 0


@pytest.mark.parametrize("policy", ["eager", "cow", "shared-tables"])
def test_a_program_cannot_tell_how_fork_copies_memory(forkyard: Forkyard, policy: str) -> None:
    result = forkyard("run", "--fork", policy, PROGRAMS / "family.s")
    assert (result.status, result.out) == (0, (PROGRAMS / "family.out").read_text())


def test_a_way_to_fork_that_is_not_there_is_refused(forkyard: Forkyard) -> None:
    result = forkyard("run", "--fork", "magic", PROGRAMS / "hello.s")
    assert (result.status, result.out) == (2, "")
    assert "magic" in result.err and "shared-tables" in result.err
