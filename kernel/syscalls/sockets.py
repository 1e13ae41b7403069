"""System calls of sockets: socketpair of the unix domain, and sendto, recvfrom, sendmsg, recvmsg, shutdown of its ends.

There is no network, so `socket` knows no domain. Control data, and so the passing of descriptors, are missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errno import (
    EAFNOSUPPORT,
    EBADF,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENFILE,
    ENOPROTOOPT,
    ENOTSOCK,
    EOPNOTSUPP,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
    SysError,
)
from kernel.fs import fdtable, file, inode, special
from kernel.fs import socketpair as sockets
from kernel.fs.constants import IOV_MAX, O_CLOEXEC, O_NONBLOCK, O_PATH, O_RDWR, S_IFSOCK
from kernel.fs.socketpair import DGRAM, DRIVER, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, MSG_TRUNC, SEQPACKET, STREAM
from kernel.fs.user_buffer import UserBuffer, check_range
from kernel.syscalls.files import segments_of
from kernel.syscalls.table import signed32, syscall
from kernel.user_memory import copy_in, copy_in_words, copy_out

if TYPE_CHECKING:
    from kernel.kernel import Kernel
    from kernel.task import Task

AF_UNIX, TYPE_MASK = 1, 0xF
MSG_CMSG_CLOEXEC = 0x4000_0000
SOL_SOCKET = 1
SO_TYPE, SO_ERROR, SO_PEERCRED, SO_ACCEPTCONN, SO_PROTOCOL, SO_DOMAIN = 3, 4, 17, 30, 38, 39


@syscall(198, "socket", "domain", "type", "protocol")
def sys_socket(k: Kernel, t: Task, domain: int, kind: int, protocol: int) -> int:
    """socket(2): no domain has sockets without a peer here. Raises EAFNOSUPPORT."""
    raise SysError(EAFNOSUPPORT)


@syscall(199, "socketpair", "domain", "type", "protocol", "fds*")
def sys_socketpair(k: Kernel, t: Task, domain: int, kind: int, protocol: int, fds: int) -> int:
    """socketpair(2) of AF_UNIX. Raises EAFNOSUPPORT, EINVAL, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EMFILE, EFAULT."""
    flags, kind = signed32(kind) & ~TYPE_MASK, kind & TYPE_MASK
    kind = DGRAM if kind == 3 else kind  # Linux takes SOCK_RAW for SOCK_DGRAM here
    _check_pair(signed32(domain), kind, signed32(protocol), flags)
    file.check_limit(k, 2)
    first = fdtable.lowest_free(k, t)
    second = fdtable.lowest_free(k, t, first + 1)
    if len(k.inodes) + 2 > inode.limit(k):
        raise SysError(ENFILE)
    copy_out(k, t, fds, first.to_bytes(4, "little") + second.to_bytes(4, "little"))
    maker = (t.tgid, t.cred.euid, t.cred.egid)
    for fd, number in zip((first, second), sockets.make(k, kind, maker), strict=True):
        opened = special.add(k, DRIVER, number, S_IFSOCK | 0o777, O_RDWR | flags & O_NONBLOCK)
        fdtable.install(k, t.fdtable, fd, opened, bool(flags & O_CLOEXEC))
    return 0


def _check_pair(domain: int, kind: int, protocol: int, flags: int) -> None:
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise SysError(EINVAL)
    if domain != AF_UNIX:
        raise SysError(EAFNOSUPPORT)
    if protocol not in (0, AF_UNIX):
        raise SysError(EPROTONOSUPPORT)
    if kind not in (STREAM, DGRAM, SEQPACKET):
        raise SysError(ESOCKTNOSUPPORT)


def _socket(k: Kernel, t: Task, fd: int) -> tuple[int, bool]:
    """(the socket, does it never wait?). Raises EBADF, ENOTSOCK."""
    opened = k.files.peek(fdtable.file_id(k.fdtables.peek(t.fdtable), fd))
    if opened.flags & O_PATH:
        raise SysError(EBADF)
    node = k.inodes.peek(opened.inode)
    if node.driver != DRIVER:
        raise SysError(ENOTSOCK)
    return node.number, bool(opened.flags & O_NONBLOCK)


@syscall(206, "sendto", "fd", "buf*", "count", "flags", "address*", "size")
def sys_sendto(k: Kernel, t: Task, fd: int, buf: int, count: int, flags: int, address: int, size: int) -> int:
    """sendto(2): MSG_DONTWAIT and MSG_NOSIGNAL. Raises what write does, ENOTSOCK, EISCONN (with an address)."""
    number, nonblock = _socket(k, t, fd)
    check_range(buf, count)
    if flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL) & 0xFFFFFFFF:
        raise SysError(EOPNOTSUPP)
    if address:
        raise SysError(EISCONN)
    wait = nonblock or bool(flags & MSG_DONTWAIT)
    return sockets.send(k, t, number, UserBuffer(k, t, [(buf, count)]), wait, not flags & MSG_NOSIGNAL)


@syscall(207, "recvfrom", "fd", "buf*", "count", "flags", "address*", "size*")
def sys_recvfrom(k: Kernel, t: Task, fd: int, buf: int, count: int, flags: int, address: int, size: int) -> int:
    """recvfrom(2): MSG_DONTWAIT, MSG_PEEK and MSG_TRUNC. The sender has no address: its size is 0."""
    number, nonblock = _socket(k, t, fd)
    check_range(buf, count)
    if flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_PEEK | MSG_TRUNC) & 0xFFFFFFFF:
        raise SysError(EOPNOTSUPP)
    buffer, wait = UserBuffer(k, t, [(buf, count)]), nonblock or bool(flags & MSG_DONTWAIT)
    moved = sockets.receive(k, t, number, buffer, wait, bool(flags & MSG_PEEK), bool(flags & MSG_TRUNC))
    if address and size:
        copy_out(k, t, size, bytes(4))
    return moved


@syscall(211, "sendmsg", "fd", "message*", "flags")
def sys_sendmsg(k: Kernel, t: Task, fd: int, message: int, flags: int) -> int:
    """sendmsg(2) as sendto. Control data (SCM_RIGHTS: descriptors) is missing: EOPNOTSUPP, and nothing is sent."""
    number, nonblock = _socket(k, t, fd)
    name, name_size, segments, control_size = _header(k, t, message)
    if flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC) & 0xFFFFFFFF or control_size:
        raise SysError(EOPNOTSUPP)
    if name and name_size:
        raise SysError(EISCONN)
    wait = nonblock or bool(flags & MSG_DONTWAIT)
    return sockets.send(k, t, number, UserBuffer(k, t, segments), wait, not flags & MSG_NOSIGNAL)


@syscall(212, "recvmsg", "fd", "message*", "flags")
def sys_recvmsg(k: Kernel, t: Task, fd: int, message: int, flags: int) -> int:
    """recvmsg(2) as recvfrom. The message's flags then say if it was cut (MSG_TRUNC); control data never comes."""
    number, nonblock = _socket(k, t, fd)
    name, _, segments, _ = _header(k, t, message)
    if flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_PEEK | MSG_TRUNC | MSG_CMSG_CLOEXEC) & 0xFFFFFFFF:
        raise SysError(EOPNOTSUPP)
    buffer, wait = UserBuffer(k, t, segments), nonblock or bool(flags & MSG_DONTWAIT)
    room = buffer.left
    size = sockets.receive(k, t, number, buffer, wait, bool(flags & MSG_PEEK), whole=True)
    if name:
        copy_out(k, t, message + 8, bytes(4))
    copy_out(k, t, message + 40, bytes(8))
    told = flags & MSG_CMSG_CLOEXEC | (MSG_TRUNC if size > room else 0)
    copy_out(k, t, message + 48, told.to_bytes(4, "little"))
    return size if flags & MSG_TRUNC else min(size, room)


def _header(k: Kernel, t: Task, message: int) -> tuple[int, int, list[tuple[int, int]], int]:
    """struct msghdr: (name, its size, the segments, bytes of control data). Raises EFAULT, EINVAL, EMSGSIZE."""
    name, name_size, iov, count, control, control_size, _ = copy_in_words(k, t, message, 7)
    name_size = signed32(name_size)
    if name_size < 0:
        raise SysError(EINVAL)
    if count > IOV_MAX:
        raise SysError(EMSGSIZE)
    return name, name_size, segments_of(k, t, iov, count), control_size if control else 0


@syscall(209, "getsockopt", "fd", "level", "option", "value*", "size*")
def sys_getsockopt(k: Kernel, t: Task, fd: int, level: int, option: int, value: int, size: int) -> int:
    """getsockopt(2): SO_TYPE, SO_ERROR, SO_PEERCRED, SO_ACCEPTCONN, SO_PROTOCOL and SO_DOMAIN.

    Raises EBADF, ENOTSOCK, EFAULT, EINVAL (a negative size), EOPNOTSUPP (another level), ENOPROTOOPT.
    """
    number, _ = _socket(k, t, fd)
    if signed32(level) != SOL_SOCKET:
        raise SysError(EOPNOTSUPP)
    room = signed32(int.from_bytes(copy_in(k, t, size, 4), "little"))
    if room < 0:
        raise SysError(EINVAL)
    data = b"".join(word.to_bytes(4, "little") for word in _option(k, number, signed32(option)))[:room]
    copy_out(k, t, value, data)
    copy_out(k, t, size, len(data).to_bytes(4, "little"))
    return 0


def _option(k: Kernel, number: int, option: int) -> tuple[int, ...]:
    socket = k.sockets.peek(number)
    if option == SO_ERROR:
        return (sockets.take_error(k, number),)
    if option == SO_PEERCRED:
        return socket.maker
    known = {SO_TYPE: socket.kind, SO_DOMAIN: AF_UNIX, SO_PROTOCOL: 0, SO_ACCEPTCONN: 0}
    if option not in known:
        raise SysError(ENOPROTOOPT)
    return (known[option],)


@syscall(210, "shutdown", "fd", "how")
def sys_shutdown(k: Kernel, t: Task, fd: int, how: int) -> int:
    """shutdown(2). Raises EBADF, ENOTSOCK, EINVAL."""
    number, _ = _socket(k, t, fd)
    if signed32(how) not in (0, 1, 2):
        raise SysError(EINVAL)
    sockets.shut_down(k, number, reading=how != 1, writing=how != 0)
    return 0
