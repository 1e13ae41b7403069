"""The process that translates: does the machine ever wait for it?"""

from __future__ import annotations

import signal
import sys
import time
from random import Random

import pytest

from tests.vm.support import Board, i
from vm.isa import TABLE
from vm.native import code, layout, translator
from vm.native import worker as worker_module
from vm.native.code import origin
from vm.native.engine import LlvmEngine
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


def test_the_worker_of_a_machine_whose_jumps_are_hot_sooner_is_of_the_same_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = origin()
    monkeypatch.setattr(layout, "HOT_JUMPS", layout.HOT_JUMPS + 1)
    code._parts.cache_clear()
    origin.cache_clear()
    try:
        assert origin() == before
    finally:
        code._parts.cache_clear()
        origin.cache_clear()


def test_without_a_worker_only_so_much_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    """What LLVM leaks stays in our own process then."""

    def nobody(self: Worker) -> None:
        raise OSError

    monkeypatch.setattr(Worker, "__init__", nobody)
    monkeypatch.setattr(translator, "MOST_ALONE", 3)
    asked = translator.Translator(None)
    assert [asked.ask(number, request(number)) for number in range(5)] == [True, True, True, False, False]
    assert [key for key, _ in asked.answers()] == [0, 1, 2]


def kill(asked: translator.Translator) -> None:
    """Kill the worker while it is at its first request."""
    assert asked._worker is not None
    asked._worker._process.kill()
    asked._worker._process.wait()


def asked_of_a_stopped_worker(asked: translator.Translator, numbers: range) -> None:
    """Ask for regions, of which none is answered."""
    worker = asked.hire()
    assert worker is not None
    worker._process.send_signal(signal.SIGSTOP)
    for number in numbers:
        assert asked.ask(number, request(number))


def test_what_a_worker_leaves_behind_when_it_is_killed_can_be_asked_of_another() -> None:
    asked = translator.Translator(None)
    asked_of_a_stopped_worker(asked, range(3))
    kill(asked)
    assert asked.answers() == [(number, translator.LOST) for number in range(3)]
    assert not asked.waiting
    for number in range(3):
        assert asked.ask(number, request(number))
    answers = all_answers(asked, 3)
    assert all(isinstance(answer, Translation) and answer.image for answer in answers.values())


def test_what_killed_two_workers_is_not_asked_of_a_third() -> None:
    asked = translator.Translator(None)
    asked_of_a_stopped_worker(asked, range(2))
    kill(asked)
    assert asked.answers() == [(0, translator.LOST), (1, translator.LOST)]
    asked_of_a_stopped_worker(asked, range(2))
    kill(asked)
    assert asked.answers() == [(0, None), (1, translator.LOST)]


def test_after_three_workers_that_were_killed_the_machine_translates_by_itself() -> None:
    asked = translator.Translator(None)
    for number in range(3):
        asked_of_a_stopped_worker(asked, range(number, number + 1))
        kill(asked)
        assert asked.answers() == [(number, translator.LOST)]
    assert asked.ask(7, request(7))
    assert asked._worker is None
    (answer,) = asked.answers()
    assert isinstance(answer[1], Translation) and answer[1].image


def test_a_worker_that_is_killed_while_nothing_waits_is_missed_by_the_next_request() -> None:
    asked = translator.Translator(None)
    asked.ask(0, request(0))
    all_answers(asked, 1)
    kill(asked)
    assert not asked.ask(1, request(1)), "a hot jump asks again later"
    assert asked.ask(1, request(1))
    assert list(all_answers(asked, 1)) == [1]


class EmptyCache(dict[str, bytes]):
    """A cache that is false when it is empty."""

    load = dict[str, bytes].get

    def store(self, name: str, content: bytes) -> None:
        self[name] = content


def test_an_empty_cache_is_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = EmptyCache()
    asked = translator.Translator(cache)
    asked.ask(0, request(0))
    all_answers(asked, 1)
    assert len(cache) == 1
    monkeypatch.setattr(code, "_natives", {})
    cache.clear()
    code.native(cache, False)
    assert len(cache) == 1


def test_a_loop_is_translated_though_the_worker_is_killed_while_it_is_at_it() -> None:
    """What the first worker was asked is asked again when the jump is hot again. There is no other loop to ask for."""
    board = Board([i("addi", rd=6, rs1=6, imm=-1), i("jal", rd=0, imm=-4)], engine="llvm")
    engine = board.machine.engine
    assert isinstance(engine, LlvmEngine)
    deadline = time.monotonic() + 30
    while not engine._translator._asked:
        board.run(10_000)
        if engine._translator._worker is not None:  # it begins with the machine, or with the first hot jump
            engine._translator._worker._process.send_signal(signal.SIGSTOP)
    kill(engine._translator)
    while not len(engine._regions):
        assert time.monotonic() < deadline, board.machine.stats
        board.run(100_000)
    assert engine._translator._ended == 1


def all_answers(worker: Worker | translator.Translator, count: int) -> dict[int, object]:
    """Wait for so many."""
    answers: dict[int, object] = {}
    deadline = time.monotonic() + 60
    while len(answers) < count:
        assert time.monotonic() < deadline, f"only {sorted(answers)} were answered"
        answers.update(worker.answers())
        time.sleep(0.01)
    return answers


def test_a_page_waits_for_one_region_at_a_time() -> None:
    """Three loops around each other, which all become hot: a region of any of them has the other two in it."""
    nest = [i("addi", rd=5, rs1=0, imm=99), i("addi", rd=6, rs1=0, imm=99), i("addi", rd=6, rs1=6, imm=-1)]
    nest += [i("bne", rs1=6, rs2=0, imm=-4), i("addi", rd=5, rs1=5, imm=-1), i("bne", rs1=5, rs2=0, imm=-16)]
    board = Board([*nest, i("jal", rd=0, imm=-24)], engine="llvm")
    engine = board.machine.engine
    assert isinstance(engine, LlvmEngine)
    deadline = time.monotonic() + 60
    while not len(engine._regions):
        assert time.monotonic() < deadline
        board.run(1_000_000)
        assert len(engine._translator._asked) <= 1


def test_rare_handlers_are_compiled_when_the_first_of_their_instructions_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = EmptyCache()
    monkeypatch.setattr(code, "_natives", {})
    handlers = code.native(cache, False)
    assert len(cache) == 1 and "ld" in handlers.address
    assert handlers.address["amoadd.d"] != handlers.address["lr.w"]
    assert len(cache) == 2
