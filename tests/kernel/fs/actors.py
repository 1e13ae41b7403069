"""Several real processes of the host, each making the calls that a test tells it to: an oracle for what they share."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from typing import Any

from tests.kernel.fs.linux import Linux


class Actor:
    """A child of this process, with copies of its descriptors, that calls methods of a `Linux`."""

    def __init__(self, linux: Linux) -> None:
        command, reply = os.pipe(), os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(command[1])
            os.close(reply[0])
            _obey(linux, command[0], reply[1])
        os.close(command[0])
        os.close(reply[1])
        self.command, self.reply = os.fdopen(command[1], "wb"), os.fdopen(reply[0], "rb")

    def do(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """`action(linux, *arguments)` in the child; `action` is a module's function."""
        pickle.dump((action, arguments), self.command)
        self.command.flush()
        return pickle.load(self.reply)

    def finish(self) -> None:
        self.command.close()
        self.reply.close()
        os.kill(self.pid, signal.SIGKILL)  # (other children may hold the ends of its pipes)
        os.waitpid(self.pid, 0)


def _obey(linux: Linux, command: int, reply: int) -> None:
    """The child's whole life: until nobody tells it anything more."""
    with os.fdopen(command, "rb") as commands, os.fdopen(reply, "wb") as replies:
        try:
            while True:
                action, arguments = pickle.load(commands)
                pickle.dump(action(linux, *arguments), replies)
                replies.flush()
        except EOFError:
            pass
        finally:
            os._exit(0)
