"""Linux's error numbers (asm-generic/errno-base.h and errno.h) and the exception that carries one to the dispatcher."""

from __future__ import annotations

EPERM = 1
ENOENT = 2
ESRCH = 3
EINTR = 4
EIO = 5
ENXIO = 6
E2BIG = 7
ENOEXEC = 8
EBADF = 9
ECHILD = 10
EAGAIN = 11
ENOMEM = 12
EACCES = 13
EFAULT = 14
ENOTBLK = 15
EBUSY = 16
EEXIST = 17
EXDEV = 18
ENODEV = 19
ENOTDIR = 20
EISDIR = 21
EINVAL = 22
ENFILE = 23
EMFILE = 24
ENOTTY = 25
ETXTBSY = 26
EFBIG = 27
ENOSPC = 28
ESPIPE = 29
EROFS = 30
EMLINK = 31
EPIPE = 32
EDOM = 33
ERANGE = 34
EDEADLK = 35
ENAMETOOLONG = 36
ENOLCK = 37
ENOSYS = 38
ENOTEMPTY = 39
ELOOP = 40
ENODATA = 61
ETIME = 62
ELIBACC = 79
ELIBBAD = 80
EOVERFLOW = 75
EOPNOTSUPP = 95
ENOTSOCK = 88
EMSGSIZE = 90
ENOPROTOOPT = 92
EPROTONOSUPPORT = 93
ESOCKTNOSUPPORT = 94
EAFNOSUPPORT = 97
ECONNRESET = 104
EISCONN = 106
ENOTCONN = 107
ECONNREFUSED = 111
ETIMEDOUT = 110
ERESTARTSYS = 512  # no program ever sees it: the call is made again after the handler

NAMES: dict[int, str] = {}


def name(number: int) -> str:
    """The symbolic name of an error number ("ENOENT"), or the number itself if it has none here."""
    if not NAMES:
        for key, value in list(globals().items()):
            if key[0] == "E" and key.isupper() and isinstance(value, int):
                NAMES[value] = key
    return NAMES.get(number, str(number))


class SysError(Exception):
    """A system call fails with `errno`; the dispatcher puts -errno into a0."""

    def __init__(self, errno: int) -> None:
        self.errno = errno

    def __str__(self) -> str:
        return name(self.errno)


class OutOfMemory(SysError):
    """No frame is free. In a system call it is ENOMEM; a fault handler turns it into SIGKILL with a message."""

    def __init__(self) -> None:
        super().__init__(ENOMEM)
