"""The process that translates: does the machine ever wait for it?"""

from __future__ import annotations

import signal
import time
from random import Random

from vm.isa import TABLE
from vm.native.worker import Request, Worker
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
    answers: dict[int, object] = {}
    deadline = time.monotonic() + 60
    while len(answers) < 5:
        assert time.monotonic() < deadline, f"only {sorted(answers)} were answered"
        answers.update(worker.answers())
        time.sleep(0.01)
    assert sorted(answers) == list(range(5)) and worker.waiting == 0
    assert None not in answers.values()
