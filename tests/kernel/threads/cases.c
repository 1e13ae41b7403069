/* What programs see of threads, one case for each name in argv[1]. It says it on stdout, without pids and addresses, so
   that forkyard and Linux must say the same. Freestanding, and for two machines: riscv64 here, x86-64 on the host's own
   kernel, since qemu's threads are the C library's and know few of clone's flags. argv[0] is the path of this program. */

typedef unsigned long u64;
typedef long i64;
typedef unsigned int u32;

#ifdef __riscv
static i64 call(i64 number, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f)
{
    register i64 a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c, a3 asm("a3") = d, a4 asm("a4") = e;
    register i64 a5 asm("a5") = f, a7 asm("a7") = number;
    asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
    return a0;
}
enum {
    PIPE2 = 59, READ = 63, WRITE = 64, CLOSE = 57, EXIT = 93, EXIT_GROUP, SET_TID_ADDRESS = 96, UNSHARE, FUTEX, SET_ROBUST,
    GET_ROBUST, NANOSLEEP, SETPARAM = 118, SETSCHEDULER, GETSCHEDULER, GETPARAM, SETAFFINITY, GETAFFINITY, YIELD,
    PRIORITY_MAX, PRIORITY_MIN, KILL = 129, TKILL, TGKILL, SIGACTION = 134, SIGPROCMASK, SIGPENDING, GETCPU = 168,
    GETPID = 172, GETTID = 178, CLONE = 220, EXECVE, MMAP, MPROTECT = 226, WAIT4 = 260, CLONE3 = 435, CLOCK_GETTIME = 113,
    GETPPID = 173, UMASK = 166, WAITID = 95,
};
asm(".globl _start\n_start: mv a0, sp\n tail begin\n");
/* start(flags, stack, parent_tid, child_tid): the child goes on at the function that lies on its stack. */
asm("start: li a7, 220\n mv a4, a3\n li a3, 0\n ecall\n bnez a0, 1f\n ld a1, 0(sp)\n ld a0, 8(sp)\n jalr a1\n"
    " li a7, 93\n ecall\n1: ret\n"
    "start3: li a7, 435\n ecall\n bnez a0, 1f\n ld a1, -16(sp)\n ld a0, -8(sp)\n jalr a1\n li a7, 93\n ecall\n1: ret\n"
    "vanish: li a7, 220\n mv a4, a3\n li a3, 0\n ecall\n bnez a0, 1f\n li a7, 93\n ecall\n1: ret\n");
#else
static i64 call(i64 number, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f)
{
    i64 result;
    register i64 r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
    asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}
enum {
    PIPE2 = 293, READ = 0, WRITE = 1, CLOSE = 3, EXIT = 60, EXIT_GROUP = 231, SET_TID_ADDRESS = 218, UNSHARE = 272, FUTEX = 202,
    SET_ROBUST = 273, GET_ROBUST, NANOSLEEP = 35, SETPARAM = 142, GETPARAM, SETSCHEDULER, GETSCHEDULER, PRIORITY_MAX,
    PRIORITY_MIN, SETAFFINITY = 203, GETAFFINITY, YIELD = 24, KILL = 62, TKILL = 200, TGKILL = 234, SIGACTION = 13,
    SIGPROCMASK, SIGPENDING = 127, GETCPU = 309, GETPID = 39, GETTID = 186, CLONE = 56, EXECVE = 59, MMAP = 9,
    MPROTECT, WAIT4 = 61, CLONE3 = 435, CLOCK_GETTIME = 228, GETPPID = 110, UMASK = 95, WAITID = 247,
};
asm(".globl _start\n_start: mov %rsp, %rdi\n call begin\n");
asm("start: mov $56, %eax\n mov %rcx, %r10\n syscall\n test %rax, %rax\n jnz 1f\n pop %rax\n pop %rdi\n call *%rax\n"
    " mov %rax, %rdi\n mov $60, %eax\n syscall\n1: ret\n"
    "start3: mov $435, %eax\n syscall\n test %rax, %rax\n jnz 1f\n mov -16(%rsp), %rax\n mov -8(%rsp), %rdi\n"
    " sub $32, %rsp\n call *%rax\n mov %rax, %rdi\n mov $60, %eax\n syscall\n1: ret\n"
    "vanish: mov $56, %eax\n mov %rcx, %r10\n syscall\n test %rax, %rax\n jnz 1f\n mov $0, %edi\n mov $60, %eax\n syscall\n1: ret\n");
asm("restore: mov $15, %eax\n syscall\n");
extern void restore(void);
#endif
extern i64 start(u64 flags, void *stack, int *parent_tid, int *child_tid);
extern i64 start3(void *arguments, u64 size);
extern i64 vanish(u64 flags, void *stack, int *parent_tid, int *child_tid);
#define sys(...) SYS7(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define SYS7(n, a, b, c, d, e, f, ...) call(n, (i64)(a), (i64)(b), (i64)(c), (i64)(d), (i64)(e), (i64)(f))

void *memset(void *to, int byte, u64 size)
{
    for (char *at = to; size--;)
        *at++ = byte;
    return to;
}

void *memcpy(void *to, const void *from, u64 size)
{
    const char *source = from;
    for (char *at = to; size--;)
        *at++ = *source++;
    return to;
}

#define VM 0x100
#define FS 0x200
#define FILES 0x400
#define SIGHAND 0x800
#define PTRACE 0x2000
#define VFORK 0x4000
#define PARENT 0x8000
#define THREAD 0x10000
#define SYSVSEM 0x40000
#define PARENT_SETTID 0x100000
#define CLEARTID 0x200000
#define DETACHED 0x400000
#define UNTRACED 0x800000
#define CHILD_SETTID 0x1000000
#define IO 0x80000000
#define USUAL (VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | PARENT_SETTID | CLEARTID)
enum { K9 = 9, USR1, USR2 = 12, TERM = 15, CHLD = 17, CONT, STOP };
enum { WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAKE_BITSET };
#define PRIVATE 128
#define REALTIME 256
#define WALL 0x40000000

static void say(const char *text)
{
    u64 size = 0;
    while (text[size])
        size++;
    sys(WRITE, 1, text, size);
}

static void line(const char *text, i64 value)
{
    char digits[24], *at = digits + 22, out[120], *to = out;
    u64 left = value < 0 ? -(u64)value : (u64)value;
    at[0] = '\n', at[1] = 0;
    do
        *--at = '0' + left % 10;
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    while (*text)
        *to++ = *text++;
    *to++ = ' ';
    while ((*to++ = *at++))
        ;
    say(out);
}

static const char *path;
static i64 self;
static char stacks[16][8192] __attribute__((aligned(16)));
static int tids[16];
static volatile int word, other, seen;
static int fds[2];
static i64 notes[16];

static void ms(i64 n)
{
    i64 time[2] = { n / 1000, n % 1000 * 1000000 };
    while (sys(NANOSLEEP, time, time) == -4)
        ;
}

static i64 with_flags(int n, u64 flags, void *function, i64 argument)
{
    u64 *top = (u64 *)(stacks[n] + sizeof stacks[n] - 32);
    top[0] = (u64)function, top[1] = argument;
    return start(flags, top, &tids[n], &tids[n]);
}

static i64 thread(int n, void *function, i64 argument) { return with_flags(n, USUAL, function, argument); }
static i64 futex(volatile int *at, int op, u32 value, i64 time, volatile int *second, u32 third)
{
    return sys(FUTEX, at, op, value, time, second, third);
}

static void join(int n)
{
    int tid;
    while ((tid = *(volatile int *)&tids[n]))
        futex(&tids[n], WAIT, tid, 0, 0, 0);
    ms(3); /* the word is cleared a little before the thread is gone */
}

static i64 fork(void) { return sys(CLONE, CHLD, 0); }
static int status_of(i64 pid)
{
    int status = -1;
    while (sys(WAIT4, pid, &status, WALL) == -4)
        ;
    return status;
}

static void act(int signal, void *handler, u64 flags)
{
#ifdef __riscv
    u64 action[4] = { (u64)handler, flags, 0, 0 };
#else
    u64 action[4] = { (u64)handler, flags | 0x04000000, (u64)restore, 0 };
#endif
    sys(SIGACTION, signal, action, 0, 8);
}

static void block(int how, int signal)
{
    u64 set = 1ul << (signal - 1);
    sys(SIGPROCMASK, how, &set, 0, 8);
}

/* --- clone ------------------------------------------------------------------------------------------------------- */

static void case_flags(void)
{
    static const u64 bits[] = { VM, SIGHAND, THREAD, PARENT, FS, FILES, DETACHED, CLEARTID };
    i64 child = fork();
    if (child) {
        line("status", status_of(child));
        i64 more = 0;
        while (sys(WAIT4, -1, 0, WALL) > 0)
            more++;
        line("siblings", more);
        return;
    }
    char row[66];
    for (int n = 0; n < 256; n++) {
        u64 flags = n & 16 ? PTRACE | IO | UNTRACED : 0;
        for (int i = 0; i < 8; i++)
            flags |= n >> i & 1 ? bits[i] : 0;
        int tid = 1, unused;
        i64 result = vanish(flags & THREAD ? flags : flags | CHLD, stacks[1] + 4096, &unused, &tid);
        if (result > 0 && flags & VM)
            flags & CLEARTID ? ({ while (*(volatile int *)&tid) futex(&tid, WAIT, 1, 0, 0, 0); }) : ms(2);
        if (result > 0 && !(flags & (THREAD | PARENT)))
            status_of(result);
        row[n % 64] = result > 0 ? '.' : result == -22 ? 'I' : '?';
        if (n % 64 == 63) {
            row[64] = '\n', row[65] = 0;
            say(row);
        }
    }
    sys(EXIT_GROUP, 0);
}

static void case_pidfd(void)
{
    int pidfd = -1, unused = 1;
    i64 child = vanish(0x1000 | CHLD, 0, &pidfd, &unused);
    line("child", child > 0);
    line("pidfd", pidfd);
    line("wait by pidfd", sys(WAITID, 3, pidfd, 0, 4, 0));
    line("and nobody is left", sys(WAIT4, -1, 0, WALL));
    line("parent_settid too", vanish(0x1000 | PARENT_SETTID | CHLD, 0, &pidfd, &unused));
    line("detached too", vanish(0x1000 | DETACHED | CHLD, 0, &pidfd, &unused));
    line("nowhere", vanish(0x1000 | CHLD, 0, (int *)8, &unused));
    line("still nobody", sys(WAIT4, -1, 0, WALL));
    line("of a thread", vanish(0x1000 | VM | SIGHAND | THREAD, stacks[1] + 4096, &pidfd, &unused) > 0);
    ms(5);
    line("pidfd", pidfd);
    line("a process isn't it", sys(WAITID, 3, pidfd, 0, 4, 0));
    u64 a[11] = { 0x1000 | PARENT_SETTID, (u64)&pidfd, 0, (u64)&unused, CHLD };
    child = sys(CLONE3, a, 88);
    if (!child)
        sys(EXIT_GROUP, 5);
    line("clone3: pidfd", pidfd);
    line("parent_settid", unused == child);
    line("status", status_of(child));
    a[3] = a[1];
    line("both in one place", sys(CLONE3, a, 88));
    child = fork();
    if (!child)
        sys(EXIT_GROUP, sys(CLOSE, pidfd) == 0 ? 1 : 2);
    line("inherited", status_of(child));
    child = vanish(0x1000 | CHLD, 0, &pidfd, &unused);
    status_of(child);
}

static i64 note(i64 n)
{
    notes[n] = sys(GETPID) == self;
    notes[n + 1] = sys(GETTID) == tids[n];
    return n;
}

static void case_ids(void)
{
    i64 tid = thread(0, note, 0);
    line("result is tid", tid > 0 && tid != self);
    join(0);
    line("same pid", notes[0]);
    line("own tid", notes[1]);
    line("wait", sys(WAIT4, -1, 0, WALL));
    line("tgkill", sys(TGKILL, self, tid, 0));
}

static i64 share(i64 unused)
{
    sys(UMASK, 0123);
    sys(CLOSE, fds[0]);
    word = 5;
    return 0;
}

static void case_sharing(void)
{
    static const u64 sets[] = { 0, VM, FS, FILES, VM | FS | FILES, VM | SIGHAND };
    for (int i = 0; i < 6; i++) {
        sys(PIPE2, fds, 0);
        sys(UMASK, 022);
        word = 0;
        i64 child = with_flags(0, sets[i] | CHLD, share, 0);
        line("status", status_of(child));
        line(" umask", sys(UMASK, 022));
        line(" close", sys(CLOSE, fds[0]));
        line(" word", word);
        sys(CLOSE, fds[1]);
    }
}

static i64 unshared(i64 unused)
{
    line("unshare files", sys(UNSHARE, FILES));
    line("unshare fs", sys(UNSHARE, FS));
    line("close", sys(CLOSE, fds[0]));
    sys(UMASK, 0111);
    line("unshare vm", sys(UNSHARE, VM));
    line("unshare thread", sys(UNSHARE, THREAD));
    line("unshare sighand", sys(UNSHARE, SIGHAND));
    return 0;
}

static void case_unshare(void)
{
    sys(PIPE2, fds, 0);
    sys(UMASK, 022);
    thread(0, unshared, 0);
    join(0);
    line("umask", sys(UMASK, 022));
    line("close", sys(CLOSE, fds[0]));
    line("alone: vm", sys(UNSHARE, VM));
    line("alone: thread", sys(UNSHARE, THREAD));
    line("alone: sighand", sys(UNSHARE, SIGHAND));
    line("nothing", sys(UNSHARE, 0));
    line("sysvsem", sys(UNSHARE, SYSVSEM));
    line("settls", sys(UNSHARE, 0x80000));
    line("parent", sys(UNSHARE, PARENT));
}

static i64 clone3(u64 *arguments, u64 size)
{
    i64 result = sys(CLONE3, arguments, size);
    if (!result)
        sys(EXIT, 7);
    return result > 0 ? status_of(result) : result;
}

/* flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup */
static void case_clone3(void)
{
    static u64 a[1024];
#define TRY(text, size, ...) memset(a, 0, sizeof a), ({ __VA_ARGS__; }), line(text, clone3(a, size))
    TRY("plain", 64, a[4] = CHLD);
    TRY("88", 88, a[4] = CHLD);
    TRY("larger, zeros", 4096, a[4] = CHLD);
    TRY("larger, not zeros", 96, a[4] = CHLD, a[11] = 1);
    TRY("too small", 63, a[4] = CHLD);
    TRY("no size", 0, a[4] = CHLD);
    TRY("more than a page", 4097, a[4] = CHLD);
    line("bad pointer", sys(CLONE3, 8, 64));
    act(64, (void *)1, 0);
    TRY("signal 64", 64, a[4] = 64);
    TRY("signal 65", 64, a[4] = 65);
    TRY("signal 256", 64, a[4] = 256);
    TRY("signal in flags", 64, a[0] = CHLD);
    TRY("detached", 64, a[0] = DETACHED, a[4] = CHLD);
    TRY("unknown flag", 64, a[0] = 1ul << 34, a[4] = CHLD);
    TRY("stack without size", 64, a[5] = 0x10000, a[4] = CHLD);
    TRY("size without stack", 64, a[6] = 0x1000, a[4] = CHLD);
    TRY("stack in the kernel", 64, a[5] = 1ul << 63, a[6] = 4096, a[4] = CHLD);
    TRY("thread with signal", 64, a[0] = VM | SIGHAND | THREAD, a[4] = CHLD);
    TRY("parent with signal", 64, a[0] = PARENT, a[4] = CHLD);
    TRY("thread alone", 64, a[0] = THREAD);
    TRY("sighand alone", 64, a[0] = SIGHAND, a[4] = CHLD);
    TRY("clear and share", 64, a[0] = 0x100000000 | SIGHAND | VM, a[4] = CHLD);
    TRY("clear", 64, a[0] = 0x100000000, a[4] = CHLD);
    TRY("set_tid without size", 80, a[8] = (u64)a, a[4] = CHLD);
    TRY("size without set_tid", 80, a[9] = 1, a[4] = CHLD);
    TRY("set_tid too many", 80, a[8] = (u64)a, a[9] = 33, a[4] = CHLD);
    TRY("set_tid unreadable", 80, a[8] = 8, a[9] = 1, a[4] = CHLD);
    TRY("set_tid 0", 80, a[8] = (u64)(a + 20), a[9] = 1, a[4] = CHLD);
    TRY("cgroup, small", 80, a[0] = 0x200000000, a[4] = CHLD);
    TRY("cgroup too large", 88, a[0] = 0x200000000, a[10] = 0x80000000, a[4] = CHLD);
    TRY("cgroup bad", 88, a[0] = 0x200000000, a[10] = 99, a[4] = CHLD);
    TRY("no signal", 64, a[4] = 0);
    u64 *top = (u64 *)(stacks[3] + sizeof stacks[3]);
    top[-2] = (u64)note, top[-1] = 3;
    memset(a, 0, sizeof a);
    a[0] = USUAL, a[2] = a[3] = (u64)&tids[3], a[5] = (u64)stacks[3], a[6] = sizeof stacks[3];
    line("thread", start3(a, 88) > 0);
    join(3);
    line("same pid", notes[3]);
}

/* --- exit and exec ------------------------------------------------------------------------------------------------ */

static i64 later(i64 status) { ms(30); return status; }
static i64 group_later(i64 status) { ms(30); sys(EXIT_GROUP, status); return 0; }
static i64 forever(i64 unused) { while (1) ms(1000); return 0; }

static void case_exit(void)
{
    i64 child;
    if (!(child = fork())) { thread(0, later, 7); sys(EXIT, 3); }
    ms(10);
    line("leader gone: wait", sys(WAIT4, child, 0, 1));
    line("leader gone: kill", sys(KILL, child, 0));
    line("leader gone: tgkill", sys(TGKILL, child, child, 0));
    line("leader 3, then thread 7", status_of(child));
    if (!(child = fork())) { thread(0, later, 7); ms(90); sys(EXIT, 3); }
    line("thread 7, then leader 3", status_of(child));
    if (!(child = fork())) { thread(0, group_later, 9); sys(EXIT, 3); }
    line("leader 3, then exit_group 9", status_of(child));
    if (!(child = fork())) { thread(0, forever, 0); ms(10); sys(EXIT_GROUP, 4); }
    line("exit_group 4", status_of(child));
    if (!(child = fork())) { thread(0, forever, 0); sys(EXIT, 3); }
    ms(10);
    sys(KILL, child, TERM);
    line("leader gone, TERM", status_of(child));
    if (!(child = fork())) { thread(0, later, 256 + 5); sys(EXIT, 3); }
    line("status is 8 bits", status_of(child));
}

static i64 exec_now(i64 argument)
{
    const char *words[] = { path, "after_exec", argument ? "1" : "0", 0 };
    sys(EXECVE, path, words, 0);
    sys(EXIT_GROUP, 99);
    return 0;
}

static void case_after_exec(void)
{
    line("leader", sys(GETTID) == sys(GETPID));
    line("threads", sys(UNSHARE, THREAD));
    line("parent", sys(GETPPID) > 0);
    u64 head = 1, size = 0;
    line("robust list", sys(GET_ROBUST, 0, &head, &size));
    line(" is gone", head);
    line("handler is gone", sys(KILL, sys(GETPID), CHLD));
    sys(EXIT_GROUP, 21);
}

static void case_exec(void)
{
    i64 child;
    if (!(child = fork())) {
        act(CHLD, forever, 0);
        thread(0, forever, 0);
        thread(1, exec_now, 1);
        forever(0);
    }
    line("by a thread", status_of(child));
    if (!(child = fork())) {
        thread(0, forever, 0);
        thread(1, forever, 0);
        exec_now(0);
    }
    line("by the leader", status_of(child));
    if (!(child = fork())) {
        thread(0, exec_now, 0);
        sys(EXIT, 3);
    }
    line("after the leader's end", status_of(child));
}

static i64 make_child(i64 unused)
{
    i64 child = fork();
    if (!child) { ms(20); sys(EXIT_GROUP, 8); }
    notes[0] = child;
    return 0;
}

static void case_children(void)
{
    thread(0, make_child, 0);
    join(0);
    line("not of this thread", sys(WAIT4, notes[0], 0, WALL | 1));
    line("a thread's child", status_of(notes[0]));
}

/* --- futex --------------------------------------------------------------------------------------------------------- */

static void case_futex_errors(void)
{
    static i64 past[2] = { 0, 1000 }, bad[2] = { 0, 1000000000 }, negative[2] = { -1, 0 };
    volatile int *nowhere = (int *)64, *odd = (int *)((char *)&word + 1);
    word = 1;
    line("other value", futex(&word, WAIT, 0, 0, 0, 0));
    line("private", futex(&word, WAIT | PRIVATE, 0, 0, 0, 0));
    line("timeout", futex(&word, WAIT, 1, (i64)past, 0, 0));
    line("bad time", futex(&word, WAIT, 1, (i64)bad, 0, 0));
    line("negative time", futex(&word, WAIT, 1, (i64)negative, 0, 0));
    line("time nowhere", futex(&word, WAIT, 1, 8, 0, 0));
    line("bad time and value", futex(&word, WAIT, 0, (i64)bad, 0, 0));
    line("odd", futex(odd, WAIT, 1, 0, 0, 0));
    line("nowhere", futex(nowhere, WAIT, 1, 0, 0, 0));
    line("nowhere private", futex(nowhere, WAIT | PRIVATE, 1, 0, 0, 0));
    line("in the kernel", futex((int *)(1ul << 63), WAKE | PRIVATE, 1, 0, 0, 0));
    line("wake nowhere", futex(nowhere, WAKE, 1, 0, 0, 0));
    line("wake nowhere private", futex(nowhere, WAKE | PRIVATE, 1, 0, 0, 0));
    line("wake odd", futex(odd, WAKE, 1, 0, 0, 0));
    line("wake nobody", futex(&word, WAKE, 1, 0, 0, 0));
    line("wake bitset 0", futex(&word, WAKE_BITSET, 1, 0, 0, 0));
    line("wait bitset 0", futex(&word, WAIT_BITSET, 1, 0, 0, 0));
    line("absolute past", futex(&word, WAIT_BITSET, 1, (i64)past, 0, 1));
    line("realtime past", futex(&word, WAIT_BITSET | REALTIME, 1, (i64)past, 0, 1));
    line("realtime wait", futex(&word, WAIT | REALTIME, 1, (i64)past, 0, 1));
    line("realtime wake", futex(&word, WAKE | REALTIME, 1, 0, 0, 1));
    line("fd", futex(&word, FD, 1, 0, 0, 0));
    line("unknown", futex(&word, 77, 1, 0, 0, 0));
    line("requeue nobody", futex(&word, REQUEUE, 1, 1, &other, 0));
    line("requeue negative", futex(&word, REQUEUE, -1, 1, &other, 0));
    line("requeue negative 2", futex(&word, REQUEUE, 1, -1, &other, 0));
    line("requeue odd", futex(&word, REQUEUE, 1, 1, odd, 0));
    line("requeue nowhere", futex(&word, REQUEUE, 1, 1, nowhere, 0));
    line("cmp other", futex(&word, CMP_REQUEUE, 1, 1, &other, 0));
    line("cmp same", futex(&word, CMP_REQUEUE, 1, 1, &other, 1));
    line("wake_op nowhere", futex(&word, WAKE_OP, 1, 1, nowhere, 0));
}

static void case_wake_op(void)
{
    static const u32 codes[] = {
        0x00005000, 0x10003000, 0x20008000, 0x3000f000, 0x40006000, 0x50001000, 0x80004000, 0x90021000, 0x10fff000,
        0x11001001, 0x12001fff, 0x13001000, 0x14001000, 0x15001000, 0x16001000, 0x1f001000, 0x70000000, 0x80fff000,
    };
    for (int i = 0; i < 18; i++) {
        other = 9;
        line("wake_op", futex(&word, WAKE_OP, 1, 1, &other, codes[i]));
        line(" word", other);
    }
}

static i64 sleep_on(i64 n)
{
    notes[n] = futex(&word, WAIT_BITSET, 0, 0, 0, 1 << (n & 7));
    return 0;
}

static i64 sleep_plain(i64 n)
{
    notes[n] = futex(&word, WAIT, 0, 0, 0, 0);
    return 0;
}

static void start_sleepers(int count, void *function, int first)
{
    for (int i = 0; i < count; i++) {
        notes[first + i] = 1;
        thread(first + i, function, first + i);
        ms(5);
    }
    ms(10);
}

static int woken(int first, int count)
{
    int bits = 0;
    ms(10);
    for (int i = 0; i < count; i++)
        bits |= !tids[first + i] << i;
    return bits;
}

static void case_wake(void)
{
    start_sleepers(5, sleep_plain, 0);
    line("private doesn't reach them", futex(&word, WAKE | PRIVATE, 9, 0, 0, 0));
    line("another word neither", futex(&other, WAKE, 9, 0, 0, 0));
    line("one", futex(&word, WAKE, 1, 0, 0, 0));
    line(" the first", woken(0, 5));
    line("none is one", futex(&word, WAKE, 0, 0, 0, 0));
    line(" the next", woken(0, 5));
    line("two", futex(&word, WAKE, 2, 0, 0, 0));
    line(" the next", woken(0, 5));
    line("all", futex(&word, WAKE, 0x7fffffff, 0, 0, 0));
    for (int i = 0; i < 5; i++) {
        join(i);
        line(" result", notes[i]);
    }
    start_sleepers(4, sleep_on, 8);
    line("bitset 4", futex(&word, WAKE_BITSET, 9, 0, 0, 4));
    line(" woken", woken(8, 4));
    line("bitset 11", futex(&word, WAKE_BITSET, 9, 0, 0, 11));
    line(" woken", woken(8, 4));
}

static void case_requeue(void)
{
    start_sleepers(5, sleep_plain, 0);
    line("requeue 1, 2", futex(&word, REQUEUE, 1, 2, &other, 0));
    line(" woken", woken(0, 5));
    line("wake other", futex(&other, WAKE, 9, 0, 0, 0));
    line(" woken", woken(0, 5));
    line("cmp wrong", futex(&word, CMP_REQUEUE, 0, 9, &other, 3));
    line("cmp requeue 0, 9", futex(&word, CMP_REQUEUE, 0, 9, &other, 0));
    line("wake word", futex(&word, WAKE, 9, 0, 0, 0));
    line("to itself", futex(&other, REQUEUE, 1, 1, &other, 0));
    line(" woken", woken(0, 5));
    line("wake_op", futex(&word, WAKE_OP, 1, 1, &other, 0x10001000));
    line(" other", other);
    for (int i = 0; i < 5; i++) {
        join(i);
        line(" result", notes[i]);
    }
}

static void plain(int signal) { seen++; }

static i64 sleep_timed(i64 n)
{
    i64 time[2] = { 5, 0 };
    notes[n] = futex(&word, WAIT, 0, (i64)time, 0, 0);
    return 0;
}

static void case_interrupted(void)
{
    act(USR1, plain, 0);
    act(USR2, plain, 0x10000000);
    start_sleepers(1, sleep_plain, 0);
    sys(TGKILL, self, tids[0], USR1);
    join(0);
    line("without SA_RESTART", notes[0]);
    start_sleepers(1, sleep_plain, 1);
    sys(TGKILL, self, tids[1], USR2);
    ms(10);
    line("with SA_RESTART it sleeps on", tids[1] != 0);
    futex(&word, WAKE, 1, 0, 0, 0);
    join(1);
    line(" until woken", notes[1]);
    start_sleepers(1, sleep_plain, 2);
    word = 1;
    sys(TGKILL, self, tids[2], USR2);
    join(2);
    line("or until it looks again", notes[2]);
    word = 0;
    start_sleepers(1, sleep_timed, 3);
    sys(TGKILL, self, tids[3], USR2);
    join(3);
    line("a timed one is not restarted", notes[3]);
    line("handlers", seen);
}

static void case_shared(void)
{
    volatile int *shared = (int *)sys(MMAP, 0, 8192, 3, 0x21, -1, 0);
    volatile int *private = (int *)sys(MMAP, 0, 4096, 3, 0x22, -1, 0);
    i64 child = fork();
    if (!child)
        sys(EXIT_GROUP, futex(shared + 3, WAIT, 0, 0, 0, 0) == 0 ? 1 : 2);
    ms(20);
    line("wrong offset", futex(shared + 2, WAKE, 1, 0, 0, 0));
    line("with the private flag", futex(shared + 3, WAKE | PRIVATE, 1, 0, 0, 0));
    line("shared", futex(shared + 3, WAKE, 1, 0, 0, 0));
    line(" status", status_of(child));
    child = fork();
    if (!child)
        sys(EXIT_GROUP, futex(private, WAIT, 0, 0, 0, 0) == 0 ? 1 : 2);
    ms(20);
    line("private memory", futex(private, WAKE, 1, 0, 0, 0));
    sys(KILL, child, K9);
    line(" status", status_of(child));
    sys(MPROTECT, private, 4096, 1);
    line("read only", futex(private, WAIT, 1, 0, 0, 0));
    line("read only, private flag", futex(private, WAIT | PRIVATE, 1, 0, 0, 0));
    sys(MPROTECT, private, 4096, 0);
    line("no access", futex(private, WAKE, 1, 0, 0, 0));
    line("no access, private flag", futex(private, WAKE | PRIVATE, 1, 0, 0, 0));
    line("text", futex((int *)((u64)case_shared & -4ul), WAKE, 1, 0, 0, 0));
}

/* --- the end of a thread ---------------------------------------------------------------------------------------------- */

typedef struct { void *next; i64 offset; void *pending; } Head;
typedef struct Lock { struct Lock *next; int futex, unused; } Lock;
static Head head;
static Lock locks[6];

static i64 hold_locks(i64 kind)
{
    int me = sys(GETTID);
    head.offset = 8;
    line("set", sys(SET_ROBUST, &head, sizeof head));
    for (int i = 0; i < 6; i++)
        locks[i].futex = i == 2 ? 12345 : me | (i == 1 ? (int)0x80000000 : 0), locks[i].next = &locks[i + 1];
    head.next = &locks[0], head.pending = 0;
    locks[4].next = (Lock *)&head;
    if (kind == 1)
        head.pending = &locks[5];
    if (kind == 2)
        locks[4].next = &locks[0];
    if (kind == 3)
        locks[1].next = (Lock *)64, head.pending = &locks[5];
    if (kind == 4)
        locks[1].next = (Lock *)((u64)&locks[2] | 1), head.pending = (void *)((u64)&locks[3] | 1);
    if (kind == 5)
        locks[5].futex = 0, head.pending = &locks[5];
    if (kind == 6)
        exec_now(0);
    return 0;
}

static void case_robust(void)
{
    u64 address = 0, size = 0;
    line("wrong size", sys(SET_ROBUST, &head, 23));
    line("get", sys(GET_ROBUST, 0, &address, &size));
    line(" head", address);
    line(" size", size);
    line("get of nobody", sys(GET_ROBUST, 0x3ffffff, &address, &size));
    line("get nowhere", sys(GET_ROBUST, 0, 8, &size));
    for (int kind = 0; kind < 6; kind++) {
        line("kind", kind);
        i64 tid = thread(0, hold_locks, kind);
        join(0);
        for (int i = 0; i < 6; i++)
            line(" lock", locks[i].futex == tid ? 1 : locks[i].futex == (tid | (int)0x80000000) ? 2 : locks[i].futex);
    }
}

static void case_robust_wake(void)
{
    Lock *lock = (Lock *)sys(MMAP, 0, 4096, 3, 0x21, -1, 0);
    i64 child = fork();
    if (!child) {
        head.offset = 8, head.next = lock;
        lock->next = (Lock *)&head, lock->futex = (int)(sys(GETTID) | 0x80000000);
        sys(SET_ROBUST, &head, sizeof head);
        ms(40);
        sys(KILL, sys(GETPID), K9);
    }
    ms(10);
    line("woken by the dead", futex(&lock->futex, WAIT, lock->futex, 0, 0, 0));
    line("owner died, waiters", lock->futex == (int)0xc0000000);
    status_of(child);
    child = fork();
    if (!child) {
        head.offset = 8, head.next = lock;
        lock->next = (Lock *)&head, lock->futex = (int)sys(GETTID);
        sys(SET_ROBUST, &head, sizeof head);
        exec_now(0);
    }
    line("exec", status_of(child));
    line("owner died", lock->futex);
}

static void case_clear_tid(void)
{
    volatile int *shared = (int *)sys(MMAP, 0, 4096, 3, 0x21, -1, 0);
    i64 child;
    *shared = 77;
    if (!(child = fork())) {
        sys(SET_TID_ADDRESS, shared);
        sys(EXIT_GROUP, 0);
    }
    status_of(child);
    line("alone in its memory: untouched", *shared);
    if (!(child = fork())) {
        thread(0, later, 0);
        sys(SET_TID_ADDRESS, shared);
        sys(EXIT, 0);
    }
    status_of(child);
    line("others in its memory: cleared", *shared);
    *shared = 77;
    if (!(child = fork())) {
        i64 tid = with_flags(0, VM | VFORK | CHLD, exec_now, 0);
        sys(EXIT_GROUP, status_of(tid) >> 8);
    }
    line("vfork and exec", status_of(child));
    *shared = 77;
    if (!(child = fork())) {
        sys(SET_TID_ADDRESS, 8);
        thread(0, later, 0);
        sys(EXIT, 0);
    }
    line("nowhere", status_of(child));
}

/* --- signals ---------------------------------------------------------------------------------------------------------- */

static void who(int signal) { notes[15] = sys(GETTID); seen++; }
static i64 wait_seen(i64 unused) { while (!seen) ms(1); return 0; }
static i64 blocked_wait(i64 signal) { block(0, signal); word = 1; return wait_seen(0); }

static void case_targets(void)
{
    act(USR1, who, 0);
    block(0, USR1);
    i64 tid = thread(0, wait_seen, 0);
    line("inherits the mask", 1);
    sys(KILL, self, USR1);
    ms(10);
    line(" nobody takes it", seen);
    u64 set = 0;
    sys(SIGPENDING, &set, 8);
    line(" pending", set);
    block(1, USR1);
    line(" the main thread takes it", notes[15] == self);
    join(0);
    seen = 0;
    tid = thread(0, blocked_wait, USR1);
    while (!word)
        ms(1);
    line("tgkill of one who blocks it", sys(TGKILL, self, tid, USR1));
    ms(10);
    line(" nobody takes it", seen);
    line("kill", sys(KILL, self, USR1));
    line(" this one takes it", notes[15] == self);
    join(0);
    seen = 0;
    block(0, USR1);
    block(1, USR2);
    act(USR2, who, 0);
    tid = thread(0, wait_seen, 0);
    block(0, USR2);
    sys(KILL, self, USR2);
    join(0);
    line("who doesn't block it takes it", notes[15] == tid);
    line("errors: tid 0", sys(TGKILL, self, 0, USR1));
    line("errors: tgid 0", sys(TGKILL, 0, self, USR1));
    line("errors: tgid -1", sys(TGKILL, -1, self, USR1));
    line("errors: other group", sys(TGKILL, self + 5000, self, USR1));
    line("errors: signal", sys(TGKILL, self, self, 65));
    line("errors: tkill 0", sys(TKILL, 0, USR1));
    line("errors: tkill gone", sys(TKILL, tid, USR1));
    line("errors: tkill signal", sys(TKILL, self, 65));
    line("kill by tid", ({ seen = 0; tid = thread(0, later, 0); sys(KILL, tid, 0); }));
    join(0);
}

static i64 kill_one(i64 signal) { ms(10); sys(TKILL, sys(GETTID), signal); return 0; }
static i64 fault(i64 unused) { ms(10); *(volatile int *)64 = 1; return 0; }

static void case_deaths(void)
{
    i64 child;
    if (!(child = fork())) { thread(0, kill_one, TERM); thread(1, forever, 0); forever(0); }
    line("TERM to a thread", status_of(child));
    if (!(child = fork())) { thread(0, kill_one, K9); thread(1, forever, 0); forever(0); }
    line("KILL to a thread", status_of(child));
    if (!(child = fork())) { thread(0, fault, 0); thread(1, forever, 0); forever(0); }
    line("a thread's fault", status_of(child) & 0x7f);
    if (!(child = fork())) { block(0, TERM); thread(0, forever, 0); block(1, TERM); forever(0); }
    ms(10);
    sys(KILL, child, TERM);
    line("TERM to the process", status_of(child));
    if (!(child = fork())) {
        thread(0, later, 0);
        with_flags(1, VM | VFORK | CHLD, later, 0);
    }
    ms(10);
    sys(KILL, child, K9);
    line("KILL in vfork", status_of(child));
}

static void case_stop(void)
{
    int status = 0;
    volatile int *shared = (int *)sys(MMAP, 0, 4096, 3, 0x21, -1, 0);
    i64 child = fork();
    if (!child) {
        thread(0, forever, 0);
        thread(1, forever, 0);
        while (1) {
            ++*shared;
            ms(1);
        }
    }
    ms(10);
    sys(KILL, child, STOP);
    line("stopped", sys(WAIT4, child, &status, 2) == child);
    line(" status", status);
    int before = *shared;
    ms(20);
    line(" stands still", *shared == before);
    line("once only", sys(WAIT4, child, &status, 3));
    sys(KILL, child, CONT);
    line("continued", sys(WAIT4, child, &status, 8) == child);
    line(" status", status);
    ms(20);
    line(" goes on", *shared > before);
    sys(KILL, child, STOP);
    sys(WAIT4, child, &status, 2);
    sys(KILL, child, K9);
    line("killed", status_of(child));
}

/* --- files -------------------------------------------------------------------------------------------------------------- */

static i64 reader(i64 n)
{
    char byte = 0;
    notes[0] = sys(READ, fds[0], &byte, 1);
    notes[1] = byte;
    return 0;
}

static void case_close(void)
{
    sys(PIPE2, fds, 0);
    thread(0, reader, 0);
    ms(10);
    line("close", sys(CLOSE, fds[0]));
    line("write", sys(WRITE, fds[1], "x", 1));
    join(0);
    line("read", notes[0]);
    line("byte", notes[1]);
    act(13, plain, 0);
    line("write", sys(WRITE, fds[1], "x", 1));
    line("SIGPIPE", seen);
}

static const struct { const char *name; void (*run)(void); } cases[] = {
    { "flags", case_flags }, { "pidfd", case_pidfd }, { "ids", case_ids }, { "sharing", case_sharing }, { "unshare", case_unshare },
    { "clone3", case_clone3 }, { "exit", case_exit }, { "after_exec", case_after_exec }, { "exec", case_exec },
    { "children", case_children }, { "futex_errors", case_futex_errors }, { "wake_op", case_wake_op },
    { "wake", case_wake }, { "requeue", case_requeue }, { "interrupted", case_interrupted },
    { "shared", case_shared }, { "robust", case_robust }, { "robust_wake", case_robust_wake },
    { "clear_tid", case_clear_tid }, { "targets", case_targets }, { "deaths", case_deaths }, { "stop", case_stop },
    { "close", case_close },
};

__attribute__((used)) void begin(u64 *stack)
{
    char **words = (char **)(stack + 1);
    path = words[0];
    self = sys(GETPID);
    for (u64 n = 0; n < sizeof cases / sizeof *cases; n++) {
        const char *a = cases[n].name, *b = words[1];
        while (*a && *a == *b)
            a++, b++;
        if (*a == *b)
            cases[n].run();
    }
    sys(EXIT_GROUP, 0);
}
