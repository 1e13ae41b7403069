"""The process that translates: does the machine ever wait for it?"""

from __future__ import annotations

import signal
import sys
import time
from random import Random

import pytest

from vm.isa import TABLE
from vm.native import translator
from vm.native import worker as worker_module
from vm.native.code import origin
from vm.native.worker import Request, Translation, Worker
from vm.ram import PAGE

ENTRY = 0x10000


def request(number: int) -> Request:
    """A loop of one page, and fifteen pages of noise behind it: more than a pipe holds."""
    loop = TABLE["addi"].encode(rd=5, rs1=5, imm=number) + (TABLE["jal"].encode(rd=0, imm=-4) << 32)
    pages = {ENTRY + PAGE * index: Random(number + index).randbytes(PAGE) for index in range(1, 16)}
    return Request(ENTRY, {ENTRY: loop.to_bytes(8, "little") + bytes(PAGE - 8), **pages}, {}, False)


def test_asking_never_waits_however_full_the_pipes_are() -> None:
    worker = Worker()
    worker._process.send_signal(signal.SIGSTOP)  # it reads nothing now
    for number in range(5):
        worker.ask(number, request(number))
    worker._process.send_signal(signal.SIGCONT)
    answers = all_answers(worker, 5)
    assert sorted(answers) == list(range(5)) and worker.waiting == 0
    assert None not in answers.values()


def test_a_worker_begins_anew_after_so_many_answers_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first program counts what it is asked; the one that takes over in its place knows nothing of that."""
    counts = "n = iter(range(99)); import vm.native.worker as w; w.translate = lambda asked: next(n)"
    program = f"import sys; {counts}; w.serve(2, sys.argv[1])"
    with monkeypatch.context() as patch:
        patch.setattr(worker_module, "_command", lambda most: [sys.executable, "-c", program, origin().hex()])
        worker = Worker()
    for number in range(7):
        worker.ask(number, request(number))
    answers = all_answers(worker, 7)
    assert list(answers) == list(range(7))
    assert [answers[0], answers[1]] == [0, 1]
    assert all(isinstance(answers[number], Translation) for number in range(2, 7))
    assert worker._process.poll() is None


def test_a_worker_of_another_version_does_not_translate() -> None:
    """The files have changed since the machine was started: the worker ends, which the machine takes for its death."""
    command = [*worker_module._command(1)[:-1], "00" * 20]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_module, "_command", lambda most: command)
        worker = Worker()
    with pytest.raises(OSError):
        worker.ask(0, request(0))
        all_answers(worker, 1)


def test_without_a_worker_only_so_much_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    """What LLVM leaks stays in our own process then."""

    def nobody(self: Worker) -> None:
        raise OSError

    monkeypatch.setattr(Worker, "__init__", nobody)
    monkeypatch.setattr(translator, "MOST_ALONE", 3)
    asked = translator.Translator(None)
    assert [asked.ask(number, request(number)) for number in range(5)] == [True, True, True, False, False]
    assert [key for key, _ in asked.answers()] == [0, 1, 2]


def all_answers(worker: Worker, count: int) -> dict[int, object]:
    """Wait for so many."""
    answers: dict[int, object] = {}
    deadline = time.monotonic() + 60
    while len(answers) < count:
        assert time.monotonic() < deadline, f"only {sorted(answers)} were answered"
        answers.update(worker.answers())
        time.sleep(0.01)
    return answers
