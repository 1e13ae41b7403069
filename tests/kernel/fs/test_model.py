"""Processes, files and pipes in any order, against a plain model: what is in them, and what is left at the end."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kernel.errno import EAGAIN, EPIPE
from kernel.fs.constants import O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR, O_TRUNC
from tests.kernel.fs.box import BLOCKED, Box

WHO = st.integers(0, 99)


class File:
    """An open file of the model: a regular file with an offset, or one end of a pipe."""

    def __init__(self, content: bytearray, kind: str, append: bool = False) -> None:
        self.content = content
        self.kind = kind
        self.append = append
        self.offset = 0
        self.users = 1


class Pipe:
    """Both ends of a pipe share one; `queue` are the bytes in it."""

    def __init__(self) -> None:
        self.queue = bytearray()
        self.ends = {"r": 1, "w": 1}


class Process:
    def __init__(self, box: Box, fds: dict[int, tuple[File, Pipe | None]]) -> None:
        self.box = box
        self.fds = fds


class Machine(RuleBasedStateMachine):
    """Pipes are non-blocking, so that each step ends; that and who is woken when they are not is in test_pipes.py."""

    @initialize()
    def boot(self) -> None:
        Box.made.clear()
        self.box = Box(memory=8 << 20)
        self.files: dict[str, bytearray] = {}
        self.processes = [Process(self.box, {})]

    def _process(self, who: int) -> Process:
        return self.processes[who % len(self.processes)]

    @rule(who=WHO)
    @precondition(lambda self: len(self.processes) < 5)
    def fork(self, who: int) -> None:
        parent = self._process(who)
        for file, _ in parent.fds.values():
            file.users += 1
        self.processes.append(Process(parent.box.fork(), dict(parent.fds)))

    @rule(who=WHO)
    @precondition(lambda self: len(self.processes) > 1)
    def exit(self, who: int) -> None:
        process = self.processes.pop(1 + who % (len(self.processes) - 1))
        for fd in list(process.fds):
            self._close(process, fd)
        process.box.exit()

    @rule(who=WHO, name=st.sampled_from("ab"), flags=st.sampled_from([0, O_TRUNC, O_APPEND]))
    def open(self, who: int, name: str, flags: int) -> None:
        process = self._process(who)
        fd = process.box.open("/tmp/" + name, O_CREAT | O_RDWR | flags)
        content = self.files.setdefault(name, bytearray())
        if flags & O_TRUNC:
            content.clear()
        process.fds[fd] = File(content, "f", bool(flags & O_APPEND)), None

    @rule(who=WHO)
    def pipe(self, who: int) -> None:
        process = self._process(who)
        reader, writer = process.box.pipe(O_NONBLOCK)
        pipe = Pipe()
        process.fds[reader] = File(pipe.queue, "r"), pipe
        process.fds[writer] = File(pipe.queue, "w"), pipe

    @rule(who=WHO, pick=st.integers(0, 99))
    def dup(self, who: int, pick: int) -> None:
        process = self._process(who)
        if process.fds:
            fd = sorted(process.fds)[pick % len(process.fds)]
            new = process.box.dup(fd)
            process.fds[new] = process.fds[fd]
            process.fds[new][0].users += 1

    @rule(who=WHO, pick=st.integers(0, 99))
    def close(self, who: int, pick: int) -> None:
        process = self._process(who)
        if process.fds:
            fd = sorted(process.fds)[pick % len(process.fds)]
            self._close(process, fd)
            assert process.box.close(fd) == 0

    def _close(self, process: Process, fd: int) -> None:
        file, pipe = process.fds.pop(fd)
        file.users -= 1
        if not file.users and pipe:
            pipe.ends[file.kind] -= 1

    @rule(
        who=WHO,
        pick=st.integers(0, 99),
        data=st.binary(min_size=1, max_size=9),
        times=st.sampled_from([1, 500, 9000]),
    )
    def write(self, who: int, pick: int, data: bytes, times: int) -> None:
        process = self._process(who)
        fds = [fd for fd in sorted(process.fds) if process.fds[fd][0].kind != "r"]
        if not fds:
            return
        fd = fds[pick % len(fds)]
        file, pipe = process.fds[fd]
        result = process.box.write(fd, data * times)
        if pipe is None:
            at = len(file.content) if file.append else file.offset
            file.content.extend(bytes(max(0, at - len(file.content))))
            file.content[at : at + len(data) * times] = data * times
            file.offset = at + len(data) * times
            assert result == len(data) * times
        elif not pipe.ends["r"]:
            assert result == -EPIPE
        else:
            assert result == -EAGAIN or 0 < result <= len(data) * times
            assert result > 0 or len(pipe.queue) >= 16
            pipe.queue += (data * times)[: max(result, 0)]
            assert len(pipe.queue) <= 65536

    @rule(who=WHO, pick=st.integers(0, 99), size=st.sampled_from([1, 10, 5000, 70000]))
    def read(self, who: int, pick: int, size: int) -> None:
        process = self._process(who)
        fds = [fd for fd in sorted(process.fds) if process.fds[fd][0].kind != "w"]
        if not fds:
            return
        fd = fds[pick % len(fds)]
        file, pipe = process.fds[fd]
        result = process.box.read(fd, size)
        assert result != BLOCKED
        if pipe is None:
            assert result == file.content[file.offset : file.offset + size]
            file.offset += len(result)
        elif pipe.queue:
            assert result == pipe.queue[:size]
            del pipe.queue[:size]
        else:
            assert result == (-EAGAIN if pipe.ends["w"] else b"")

    @rule(who=WHO, pick=st.integers(0, 99), offset=st.integers(0, 20000))
    def seek(self, who: int, pick: int, offset: int) -> None:
        process = self._process(who)
        fds = [fd for fd in sorted(process.fds) if process.fds[fd][1] is None]
        if fds:
            fd = fds[pick % len(fds)]
            assert process.box.lseek(fd, offset, 0) == offset
            process.fds[fd][0].offset = offset

    @rule(who=WHO, pick=st.integers(0, 99), size=st.integers(0, 20000))
    def cut(self, who: int, pick: int, size: int) -> None:
        process = self._process(who)
        fds = [fd for fd in sorted(process.fds) if process.fds[fd][1] is None]
        if fds:
            fd = fds[pick % len(fds)]
            assert process.box.ftruncate(fd, size) == 0
            content = process.fds[fd][0].content
            del content[size:]
            content.extend(bytes(size - len(content)))

    @rule(who=WHO, name=st.sampled_from("ab"))
    def unlink(self, who: int, name: str) -> None:
        process = self._process(who)
        assert (process.box.unlink("/tmp/" + name) == 0) == (name in self.files)
        self.files.pop(name, None)

    @invariant()
    def counts_agree(self) -> None:
        if hasattr(self, "box"):
            self.box.check()


TestMachine = Machine.TestCase
