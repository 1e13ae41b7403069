"""The numbers of files in Linux/riscv64's user interface: open flags, modes, commands, limits.

Sources: include/uapi/asm-generic/fcntl.h, include/uapi/linux/{stat,fcntl,limits}.h;
open(2), inode(7), path_resolution(7).
"""

from __future__ import annotations

# ---- open(2): the access mode, then flags of the call, then flags that stay with the open file
O_RDONLY = 0o0
O_WRONLY = 0o1
O_RDWR = 0o2
O_ACCMODE = 0o3
O_CREAT = 0o100
O_EXCL = 0o200
O_NOCTTY = 0o400
O_TRUNC = 0o1000
O_APPEND = 0o2000
O_NONBLOCK = 0o4000
O_DIRECT = 0o40000
O_LARGEFILE = 0o100000
O_DIRECTORY = 0o200000
O_NOFOLLOW = 0o400000
O_NOATIME = 0o1000000
O_CLOEXEC = 0o2000000
O_PATH = 0o10000000
O_TMPFILE_BIT = 0o20000000

# What open(2) acts on and does not keep: F_GETFL never shows these.
OPEN_ONLY = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC
# What F_SETFL may change (O_DIRECT is refused with EINVAL by files that have no use for it).
SETTABLE = O_APPEND | O_NONBLOCK | O_NOATIME

# ---- the *at calls
AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_EACCESS = 0x200
AT_REMOVEDIR = 0x200
AT_SYMLINK_FOLLOW = 0x400
AT_NO_AUTOMOUNT = 0x800
AT_EMPTY_PATH = 0x1000

# ---- fcntl(2)
F_DUPFD = 0
F_GETFD = 1
F_SETFD = 2
F_GETFL = 3
F_SETFL = 4
F_DUPFD_CLOEXEC = 1030
F_SETPIPE_SZ = 1031
F_GETPIPE_SZ = 1032
FD_CLOEXEC = 1
F_ADD_SEALS = 1033
F_GET_SEALS = 1034
F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE, F_SEAL_EXEC = 1, 2, 4, 8, 16, 32

# ---- rename(2)
RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2

# ---- lseek(2)
SEEK_SET = 0
SEEK_CUR = 1
SEEK_END = 2
SEEK_DATA = 3
SEEK_HOLE = 4

# ---- inode(7): the type of a file, in the upper bits of its mode
S_IFMT = 0o170000
S_IFSOCK = 0o140000
S_IFLNK = 0o120000
S_IFREG = 0o100000
S_IFBLK = 0o060000
S_IFDIR = 0o040000
S_IFCHR = 0o020000
S_IFIFO = 0o010000
S_ISUID = 0o4000
S_ISGID = 0o2000
S_ISVTX = 0o1000
S_IXGRP = 0o010

# ---- access(2), and what a walk asks of a file's permission bits
R_OK = 4
W_OK = 2
X_OK = 1

# ---- limits
PAGE = 4096
PATH_MAX = 4096  # bytes of a path, the closing NUL counted
NAME_MAX = 255  # bytes of one component
SYMLINK_DEPTH = 40  # symbolic links followed in one walk: path_resolution(7)
RW_MAX = 0x7FFFF000  # bytes of one read or write: read(2), NOTES
IOV_MAX = 1024  # segments of one readv or writev
FILE_MAX = (1 << 63) - 1  # the largest offset
USER_TOP = (1 << 63) - 1  # access_ok(): TASK_SIZE_MAX of riscv64 is LONG_MAX
PIPE_PAGES = 16  # pipe(7): capacity 65536 bytes
PIPE_MAX = 1 << 20  # bytes that an ordinary user may ask for: /proc/sys/fs/pipe-max-size
CHUNK = 1 << 18  # bytes moved at a time: bounds the host memory that one large transfer takes
