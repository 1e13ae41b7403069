/* What programs see of wait, pidfds and prctl, one case for each name in argv[1]. It says it on stdout, without pids, so
   that forkyard and Linux must say the same. For two machines: riscv64 here, x86-64 on the host's own kernel. */
#include "../../differential/linux.h"

enum { P_ALL, P_PID, P_PGID, P_PIDFD };
enum { NOHANG = 1, STOPPED = 2, EXITED = 4, CONTINUED = 8, NOWAIT = 0x1000000 };
#define NOTHREAD 0x20000000l
#define WALL 0x40000000l
#define WCLONE 0x80000000l
enum { K9 = 9, USR1, USR2 = 12, TERM = 15, CHLD = 17, CONT, STOP };
#define BAD ((void *)8)

#define SHARED 0x10f00 /* CLONE_THREAD, SIGHAND, FILES, FS, VM */

static void say(const char *text)
{
    word size = 0;
    while (text[size])
        size++;
    SYS(write, 1, text, size);
}

static void line(const char *text, long value)
{
    char digits[24], *at = digits + 22;
    word left = value < 0 ? -(word)value : (word)value;
    at[0] = '\n', at[1] = 0;
    do
        *--at = '0' + left % 10;
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    say(text), say(" "), say(at);
}

static struct siginfo info;
static int status, to_thread[2], from_thread[2];
static long usage[18], children[4], other;
static byte stack[16384] __attribute__((aligned(16)));

static long fork_to(int what) /* what: an exit code, or -1: a child that stays until it is killed */
{
    long pid = CLONE(CHLD, 0, 0, 0, 0);
    if (!pid) {
        while (what < 0)
            SYS(ppoll, 0, 0, 0, 0, 8);
        SYS(exit_group, what);
    }
    return pid;
}

static void until_ended(long pid) { SYS(waitid, P_PID, pid, 0, EXITED | NOWAIT, 0); }
static void end(long pid) { SYS(kill, pid, K9), SYS(wait4, pid, 0, WALL, 0); }

static void show(const char *text, long answer)
{
    line(text, answer);
    line("  signo", info.signal), line("  errno", info.error), line("  code", info.code);
    line("  pad", info.pad), line("  a pid", info.pid > 1), line("  status", info.status), line("  rest", info.rest[8]);
    memset(&info, 0x55, sizeof info);
}

static void case_info(void)
{
    memset(&info, 0x55, sizeof info);
    show("no child", SYS(waitid, P_ALL, 0, &info, EXITED, 0));
    show("no options", SYS(waitid, P_ALL, 0, &info, 0, 0));
    long pid = fork_to(-1);
    show("alive", SYS(waitid, P_ALL, 0, &info, EXITED | NOHANG, 0));
    SYS(kill, pid, STOP);
    show("stopped", SYS(waitid, P_PID, pid, &info, STOPPED | NOWAIT, 0));
    show("still", SYS(waitid, P_PID, pid, &info, STOPPED, 0));
    show("once only", SYS(waitid, P_PID, pid, &info, STOPPED | NOHANG, 0));
    SYS(kill, pid, CONT);
    show("goes on", SYS(waitid, P_PID, pid, &info, CONTINUED | NOWAIT, 0));
    show("not asked", SYS(waitid, P_PID, pid, &info, STOPPED | EXITED | NOHANG, 0));
    show("still", SYS(waitid, P_PID, pid, &info, CONTINUED, 0));
    SYS(kill, pid, K9);
    show("killed", SYS(waitid, P_PID, pid, &info, EXITED | NOWAIT, 0));
    show("and gone", SYS(waitid, P_PID, pid, &info, EXITED, 0));
    show("exited", (fork_to(300), SYS(waitid, P_ALL, 0, &info, EXITED, 0)));
    show("by another number", SYS(waitid, P_PID, 0x7fffffff, &info, EXITED, 0));
}

static void case_efault(void)
{
    long pid = fork_to(1);
    line("info", SYS(waitid, P_PID, pid, BAD, EXITED, 0));
    line("gone", SYS(waitid, P_PID, pid, 0, EXITED, 0));
    line("no child, bad info", SYS(waitid, P_PID, pid, BAD, EXITED, 0));
    pid = fork_to(2);
    memset(&info, 0x55, sizeof info);
    show("usage", SYS(waitid, P_PID, pid, &info, EXITED, BAD));
    line("gone", SYS(waitid, P_PID, pid, 0, EXITED, 0));
    pid = fork_to(3);
    line("status", SYS(wait4, pid, BAD, 0, 0));
    line("gone", SYS(wait4, pid, 0, 0, 0));
    pid = fork_to(4);
    line("wait4's usage", SYS(wait4, pid, &status, 0, BAD));
    line("but the status", status);
    line("no child, bad status", SYS(wait4, -1, BAD, 0, BAD));
    pid = fork_to(-1);
    line("nothing to say, bad status", SYS(wait4, -1, BAD, NOHANG, BAD));
    end(pid);
}

static void case_options(void)
{
    long pid = fork_to(-1);
    for (int bit = 0; bit < 32; bit++) {
        line("wait4", SYS(wait4, -1, 0, 1l << bit | NOHANG, 0));
        line("waitid", SYS(waitid, P_ALL, 0, 0, 1l << bit | NOHANG, 0));
        line(" and exited", SYS(waitid, P_ALL, 0, 0, 1l << bit | NOHANG | EXITED, 0));
    }
    end(pid);
}

static void case_ids(void)
{
    long pid = fork_to(-1), ids[] = { 0, -1, -2, 0x7fffffff, -0x7fffffff, -0x80000000l, 0x100000000l };
    for (word i = 0; i < sizeof ids / sizeof *ids; i++) {
        line("wait4", SYS(wait4, ids[i], 0, NOHANG, 0));
        for (int which = -1; which < 5; which++)
            if (which != P_PIDFD)
                line("waitid", SYS(waitid, which, ids[i], 0, NOHANG | EXITED, 0));
    }
    end(pid);
}

static void case_zombies_only(void)
{
    long pid = fork_to(5);
    until_ended(pid);
    line("stopped", SYS(waitid, P_ALL, 0, 0, STOPPED | NOHANG, 0));
    line("continued", SYS(waitid, P_PID, pid, 0, CONTINUED, 0));
    line("exited too", SYS(waitid, P_PID, pid, 0, CONTINUED | EXITED | NOWAIT, 0));
    long alive = fork_to(-1);
    line("one lives", SYS(waitid, P_ALL, 0, 0, STOPPED | NOHANG, 0));
    line("the other", SYS(waitid, P_PID, pid, 0, STOPPED | NOHANG, 0));
    end(pid), end(alive);
}

static void case_clone_children(void)
{
    static const int signals[] = { 0, USR1, CHLD };
    word blocked = 1ul << (USR1 - 1);
    SYS(rt_sigprocmask, 0, &blocked, 0, 8);
    for (int i = 0; i < 3; i++) {
        long pid = CLONE(signals[i], 0, 0, 0, 0);
        if (!pid)
            SYS(exit_group, i);
        SYS(waitid, P_PID, pid, 0, EXITED | NOWAIT | WALL, 0);
        line("plain", SYS(wait4, pid, 0, NOHANG, 0) == pid ? 1 : SYS(wait4, -1, 0, NOHANG, 0));
        line("clone", SYS(wait4, pid, 0, NOHANG | WCLONE, 0) == pid ? 1 : SYS(wait4, -1, 0, NOHANG | WCLONE, 0));
        line("all and clone", SYS(wait4, pid, 0, NOHANG | WCLONE | WALL, 0) == pid);
    }
}

static long which(long answer)
{
    for (int i = 0; i < 4; i++)
        if (answer > 0 && answer == children[i])
            return 100 + i;
    return answer;
}

static void forker(word unused) /* a thread: two children, then it ends when it is told to */
{
    byte any;
    (void)unused;
    children[1] = fork_to(1);
    children[2] = fork_to(2);
    SYS(write, from_thread[1], "x", 1);
    SYS(read, to_thread[0], &any, 1);
}

static void begin_thread(void (*what)(word))
{
    byte any;
    SYS(pipe2, to_thread, 0), SYS(pipe2, from_thread, 0);
    other = thread(SHARED, stack + sizeof stack, what, 0, 0);
    SYS(read, from_thread[0], &any, 1);
}

static void end_thread(void)
{
    SYS(write, to_thread[1], "x", 1);
    long self = SYS(getpid);
    while (SYS(tgkill, self, other, 0) != -3)
        SYS(sched_yield);
}

static void case_threads(void)
{
    children[0] = fork_to(0);
    begin_thread(forker);
    children[3] = fork_to(3);
    for (int i = 0; i < 4; i++)
        until_ended(children[i]);
    line("another's, by pid", which(SYS(wait4, children[1], 0, NOHANG | NOTHREAD, 0)));
    line("all, not of threads: no news", SYS(waitid, P_ALL, 0, 0, EXITED | NOWAIT | NOTHREAD, 0));
    line("my first", which(SYS(wait4, -1, 0, NOHANG, 0)));
    line("my second", which(SYS(wait4, -1, 0, NOHANG, 0)));
    line("none is mine", which(SYS(wait4, -1, 0, NOHANG | NOTHREAD, 0)));
    line("the thread's first", which(SYS(wait4, -1, 0, NOHANG, 0)));
    end_thread();
    line("mine now", which(SYS(wait4, -1, 0, NOHANG | NOTHREAD, 0)));
    line("no more", which(SYS(wait4, -1, 0, NOHANG, 0)));
}

static void asker(word unused) /* a thread whose child wants to hear of its parent's death */
{
    byte any;
    (void)unused;
    children[0] = CLONE(CHLD, 0, 0, 0, 0);
    if (!children[0]) {
        SYS(prctl, 1, TERM);
        SYS(write, from_thread[1], "x", 1);
        for (;;)
            SYS(ppoll, 0, 0, 0, 0, 8);
    }
    SYS(read, to_thread[0], &any, 1);
}

static void case_death_of_a_thread(void)
{
    begin_thread(asker);
    line("before", SYS(wait4, -1, &status, NOHANG, 0));
    end_thread();
    SYS(wait4, -1, &status, 0, 0);
    line("its parent was the thread", status);
}

static void case_usage(void)
{
    long pid = CLONE(CHLD, 0, 0, 0, 0), first;
    if (!pid) {
        pid = fork_to(0);
        SYS(wait4, pid, 0, 0, usage);
        for (volatile int i = 0; i < 300000; i++)
            ;
        SYS(exit_group, 0);
    }
    SYS(wait4, pid, &status, 0, usage);
    first = usage[0] * 1000000 + usage[1] + usage[2] * 1000000 + usage[3];
    line("time was used", first > 0);
    line("pages were touched", usage[8] > 0);
    SYS(getrusage, -1, usage);
    line("the children's is that", usage[0] * 1000000 + usage[1] + usage[2] * 1000000 + usage[3] == first);
}

static int ready(long fd)
{
    struct { int fd; short wanted, found; } poll = { fd, (short)0xffdf, 0 };
    struct timespec now = { 0, 0 };
    SYS(ppoll, &poll, 1, &now, 0, 8);
    return poll.found;
}

static void case_pidfd(void)
{
    long pid = fork_to(-1), fd = SYS(pidfd_open, pid, 0), nonblocking = SYS(pidfd_open, pid, 04000);
    long of_thread = SYS(pidfd_open, pid, 0200);
    line("bad flags", SYS(pidfd_open, pid, 1));
    line("nobody", SYS(pidfd_open, 0x7fffffff, 0)), line("0", SYS(pidfd_open, 0, 0)), line("-1", SYS(pidfd_open, -1, 0));
    line("flags", SYS(fcntl, fd, 3, 0)), line("flags", SYS(fcntl, nonblocking, 3, 0)), line("cloexec", SYS(fcntl, fd, 1, 0));
    line("flags", SYS(fcntl, of_thread, 3, 0));
    line("read", SYS(read, fd, &info, 8)), line("write", SYS(write, fd, &info, 8)), line("lseek", SYS(lseek, fd, 0, 0));
    line("ready", ready(fd));
    line("wait", SYS(waitid, P_PIDFD, nonblocking, 0, EXITED, 0));
    line("wait", SYS(waitid, P_PIDFD, nonblocking, 0, EXITED | NOHANG, 0));
    line("no fd", SYS(waitid, P_PIDFD, 99, 0, EXITED, 0)), line("-1", SYS(waitid, P_PIDFD, -1, 0, EXITED, 0));
    line("no pidfd", SYS(waitid, P_PIDFD, 1, 0, EXITED, 0));
    for (int flags = 0; flags < 9; flags++)
        line("signal 0", SYS(pidfd_send_signal, fd, 0, 0, flags));
    line("bad signal", SYS(pidfd_send_signal, fd, 65, 0, 0)), line("no pidfd", SYS(pidfd_send_signal, 1, 65, 0, 0));
    line("getfd", SYS(pidfd_getfd, fd, 1, 0) > 2), line("bad fd", SYS(pidfd_getfd, fd, 99, 0));
    line("bad flags", SYS(pidfd_getfd, 99, 0, 1)), line("no pidfd", SYS(pidfd_getfd, 1, 1, 0));
    line("kill", SYS(pidfd_send_signal, fd, K9, 0, 0));
    until_ended(pid);
    line("ready", ready(fd)), line("ready", ready(of_thread)), line("of a zombie", SYS(pidfd_open, pid, 0) > 2);
    line("signal", SYS(pidfd_send_signal, fd, 0, 0, 0)), line("bad", SYS(pidfd_send_signal, fd, 65, 0, 0));
    line("getfd", SYS(pidfd_getfd, fd, 1, 0));
    line("wait", SYS(waitid, P_PIDFD, nonblocking, 0, EXITED, 0));
    line("ready", ready(fd)), line("signal", SYS(pidfd_send_signal, fd, 65, 0, 0));
    line("getfd", SYS(pidfd_getfd, fd, 1, 0));
    line("wait", SYS(waitid, P_PIDFD, nonblocking, 0, EXITED, 0));
}

static void case_prctl(void)
{
    static const long sets[][2] = { { 1, 10 }, { 1, 65 }, { 1, -1 }, { 1, 0 }, { 4, 2 }, { 4, 0 }, { 3, 0 }, { 4, 1 }, { 3, 0 },
        { 8, 2 }, { 8, 1 }, { 7, 0 }, { 8, 0 }, { 13, 0 }, { 14, 0 }, { 14, 1 }, { 15, 8 }, { 16, 8 }, { 21, 0 }, { 23, 0 },
        { 23, 40 }, { 23, 41 }, { 23, -1 }, { 30, 0 }, { 29, 12345 }, { 30, 0 }, { 29, 0 }, { 30, 0 }, { 36, 5 }, { 37, 8 },
        { 39, 1 }, { 38, 0 }, { 38, 1 }, { 39, 0 }, { 38, 2 }, { 40, 8 }, { 0, 0 }, { 9999, 0 } };
    for (word i = 0; i < sizeof sets / sizeof *sets; i++)
        line("prctl", SYS(prctl, sets[i][0], sets[i][1], 0, 0, 0));
    line("name", SYS(prctl, 15, "a name of more than fifteen"));
    line("name", SYS(prctl, 16, &info));
    say((char *)&info), say("\n");
    line("subreaper", SYS(prctl, 37, &status)), line(" is", status);
    line("no_new_privs", SYS(prctl, 38, 1, 1, 0, 0)), line("no_new_privs", SYS(prctl, 39, 0, 0, 0, 1));
}

static const struct { const char *name; void (*run)(void); } cases[] = {
    { "info", case_info }, { "efault", case_efault }, { "options", case_options }, { "ids", case_ids },
    { "zombies_only", case_zombies_only }, { "clone_children", case_clone_children }, { "threads", case_threads },
    { "death_of_a_thread", case_death_of_a_thread }, { "usage", case_usage }, { "pidfd", case_pidfd },
    { "prctl", case_prctl },
};

NORETURN void start(word *sp)
{
    for (word i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *a = cases[i].name, *b = (const char *)sp[2];
        while (*a && *a == *b)
            a++, b++;
        if (!*a && !*b)
            cases[i].run();
    }
    for (;;)
        SYS(exit_group, 0);
}
