"""What forkyard says when something that a person typed, wrote or loaded is wrong."""

from __future__ import annotations

# Exit statuses of a command (docs/command-line.md): the program's own are 0..255, and these are forkyard's.
ASSEMBLY_ERROR = 1
USAGE_ERROR = 2
MAX_INSNS = 124
DEADLOCK = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127
INTERRUPTED = 130  # 128 + SIGINT
BROKEN_PIPE = 141  # 128 + SIGPIPE


class UserError(Exception):
    """One clear message for a person: what is wrong, where, what to do about it. `status` is the exit status."""

    def __init__(self, message: str, status: int = USAGE_ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class AssemblyFailed(UserError):
    """The assembler's own report: it names file, line and column itself and is shown without a prefix."""

    def __init__(self, report: str) -> None:
        super().__init__(report, ASSEMBLY_ERROR)


def os_reason(error: OSError) -> str:
    """The operating system's reason in its own words, as in `ls: cannot access 'x': No such file or directory`."""
    return error.strerror or str(error)
