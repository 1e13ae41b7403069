/* What programs see of signals, one case for each name in argv[1]. It says it on stdout, without pids and addresses,
   so that forkyard and qemu must say the same. Freestanding: system calls and nothing else. */

typedef unsigned long u64;
typedef long i64;
typedef unsigned int u32;

static i64 call(i64 number, i64 a, i64 b, i64 c, i64 d, i64 e)
{
    register i64 a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c, a3 asm("a3") = d, a4 asm("a4") = e;
    register i64 a7 asm("a7") = number;
    asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7) : "memory");
    return a0;
}

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

enum {
    PIPE2 = 59, READ = 63, WRITE = 64, EXIT = 94, NANOSLEEP = 101, CLOCK_NANOSLEEP = 115, GETITIMER = 102,
    SETITIMER = 103, KILL = 129, TKILL = 130, TGKILL = 131, SIGALTSTACK = 132, SIGSUSPEND = 133, SIGACTION = 134,
    SIGPROCMASK = 135, SIGPENDING = 136, SIGTIMEDWAIT = 137, SIGQUEUEINFO = 138, GETPID = 172, CLONE = 220, WAIT4 = 260,
    CLOSE = 57, YIELD = 124
};
enum { HUP = 1, ILL = 4, TRAP = 5, BUS = 7, K9 = 9, USR1, SEGV, USR2, PIPE, ALRM, TERM, CHLD = 17, CONT, STOP, TSTP };
enum { NOCLDSTOP = 1, NOCLDWAIT = 2, SIGINFO = 4, ONSTACK = 0x08000000, RESTART = 0x10000000, NODEFER = 0x40000000 };
#define RESETHAND 0x80000000ul

/* Linux/riscv64's struct sigaction ends with `mask`. Some versions of qemu take it for one that has a restorer before the
   mask, and so read it, and write it, one word further on. */
typedef struct { u64 handler, flags, mask, mask_for_qemu; } Action;
typedef struct { int signo, error, code, pad; union { struct { int pid; u32 uid; u64 value; }; u64 address; struct { int p; u32 u; int status; }; }; char rest[96]; } Info;
typedef struct { u64 flags, link, stack, stack_flags, stack_size, mask, room[15], unused, regs[32]; } Context;

static void say(const char *text)
{
    u64 size = 0;
    while (text[size])
        size++;
    call(WRITE, 1, (i64)text, size, 0, 0);
}

static void number(i64 value)
{
    char digits[24], *at = digits + 23;
    u64 left = value < 0 ? -(u64)value : (u64)value;
    *at = 0;
    do
        *--at = '0' + left % 10;
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    say(at);
}

static void line(const char *text, i64 value)
{
    say(text);
    say(" ");
    number(value);
    say("\n");
}

static int fds[2], order;
static i64 self, child;
static volatile i64 seen, result;
static char stack[16384] __attribute__((aligned(16)));

static u64 bit(int signal) { return 1ul << (signal - 1); }

static i64 act(int signal, void *handler, u64 flags, u64 mask)
{
    Action action = { (u64)handler, flags, mask, mask };
    return call(SIGACTION, signal, (i64)&action, 0, 8, 0);
}

static i64 mask(int how, u64 set) { return call(SIGPROCMASK, how, (i64)&set, 0, 8, 0); }
static i64 fork(void) { return call(CLONE, CHLD, 0, 0, 0, 0); }
static i64 raise(int signal) { return call(KILL, self, signal, 0, 0, 0); }
static void quit(int status) { call(EXIT, status, 0, 0, 0, 0); }
static void sleep_ms(i64 ms)
{
    i64 time[2] = { ms / 1000, ms % 1000 * 1000000 };
    while (call(NANOSLEEP, (i64)time, (i64)time, 0, 0, 0) == -4)
        ;
}
static int wait_for(i64 pid)
{
    int status = -1;
    while (call(WAIT4, pid, (i64)&status, 0, 0, 0) == -4)
        ;
    return status;
}

static void plain(int signal) { line("handler", signal); seen++; }

static void full(int signal, Info *info, Context *context)
{
    seen++;
    line("signal", signal);
    line(" si_signo", info->signo);
    line(" si_code", info->code);
    line(" from me", info->pid == self);
    line(" mask", context->mask);
    line(" flags and link", context->flags | context->link);
    line(" frame on sp", (char *)context - (char *)info);
    line(" aligned", (u64)info % 16);
}

static void fault(int signal, Info *info, Context *context)
{
    line("fault", signal);
    line(" si_code", info->code);
    line(" si_addr is pc", info->address == context->regs[0]);
    line(" si_addr", info->address < 65536 ? (i64)info->address : -1);
    line(" s1", context->regs[9]);
    context->regs[0] += 4;
    context->regs[9] = 77;
}

static void case_frame(void)
{
    act(USR1, full, SIGINFO, bit(USR2));
    mask(0, bit(HUP));
    line("kill", raise(USR1));
    line("tkill", call(TKILL, self, USR1, 0, 0, 0));
    line("tgkill", call(TGKILL, self, self, USR1, 0, 0));
    Info info = { .signo = 3, .code = -1 };
    info.pid = self;
    info.value = 4711;
    line("sigqueueinfo", call(SIGQUEUEINFO, self, USR1, (i64)&info, 0, 0));
    u64 now = 0;
    call(SIGPROCMASK, 0, 0, (i64)&now, 8, 0);
    line("mask afterwards", now);
}

static void case_faults(void)
{
    register i64 s1 asm("s1");
    act(SEGV, fault, SIGINFO, 0);
    act(ILL, fault, SIGINFO, 0);
    act(TRAP, fault, SIGINFO, 0);
    s1 = 5;
    asm volatile("li t0, 64\n .option push\n .option norvc\n lw t1, 0(t0)\n .option pop" : "+r"(s1)::"t0", "t1", "memory");
    line("s1 is", s1);
    asm volatile("la t0, _start\n sw zero, 0(t0)" : "+r"(s1)::"t0", "memory");
    line("s1 is", s1);
    asm volatile(".word 0" : "+r"(s1)::"memory");
    asm volatile("ebreak" : "+r"(s1)::"memory");
    line("s1 is", s1);
}

static void case_forced(void)
{
    for (int how = 0; how < 3; how++) {
        child = fork();
        if (!child) {
            if (how == 0)
                act(SEGV, (void *)1, 0, 0);
            if (how == 1) {
                act(SEGV, plain, 0, 0);
                mask(0, bit(SEGV));
            }
            if (how == 2)
                act(SEGV, plain, RESETHAND, 0);
            *(volatile int *)64 = 1;
            quit(3);
        }
        line("status", wait_for(child));
    }
}

static void nested(int signal)
{
    line("begin", signal);
    if (!seen++)
        raise(USR1);
    line("end", signal);
}

static void case_nesting(void)
{
    act(USR1, nested, 0, 0);
    raise(USR1);
    seen = 0;
    act(USR1, nested, NODEFER, 0);
    raise(USR1);
    act(USR1, plain, RESETHAND, 0);
    raise(USR1);
    Action old = { 9, 9, 9, 9 };
    call(SIGACTION, USR1, 0, (i64)&old, 8, 0);
    line("handler after RESETHAND", old.handler);
}

static void case_queue(void)
{
    int signals[] = { 40, 35, USR2, USR1, 40, USR1, 35, TERM };
    for (int i = 1; i < 65; i++)
        if (i != K9 && i != STOP)
            act(i, plain, 0, ~0ul);
    mask(2, ~0ul);
    for (int i = 0; i < 8; i++)
        raise(signals[i]);
    u64 pending = 0;
    line("sigpending", call(SIGPENDING, (i64)&pending, 8, 0, 0, 0));
    line("pending", pending);
    child = fork();
    if (!child) {
        call(SIGPENDING, (i64)&pending, 8, 0, 0, 0);
        quit(pending != 0);
    }
    line("child has pending", wait_for(child));
    act(CHLD, 0, 0, 0);
    act(USR1, (void *)1, 0, 0);
    mask(2, 0);
}

static void case_values(void)
{
    mask(2, bit(40) | bit(CHLD));
    for (int i = 0; i < 5; i++) {
        Info info = { .signo = 1, .code = -1 };
        info.pid = self;
        info.value = i * 11;
        line("queue", call(SIGQUEUEINFO, self, 40, (i64)&info, 0, 0));
    }
    u64 set = bit(40);
    i64 none[2] = { 0, 0 }, bad[2] = { 0, -1 };
    for (int i = 0; i < 6; i++) {
        Info info = { 0 };
        line("timedwait", call(SIGTIMEDWAIT, (i64)&set, (i64)&info, (i64)none, 8, 0));
        line(" value", info.value);
    }
    line("bad time", call(SIGTIMEDWAIT, (i64)&set, 0, (i64)bad, 8, 0));
    line("bad size", call(SIGTIMEDWAIT, (i64)&set, 0, (i64)none, 4, 0));
    set = bit(CHLD);
    child = fork();
    if (!child)
        quit(9);
    Info info = { 0 };
    line("waits for a child", call(SIGTIMEDWAIT, (i64)&set, (i64)&info, 0, 8, 0));
    line(" code", info.code);
    line(" status", info.status);
    line(" it is it", info.p == child);
    line("status", wait_for(child));
    i64 a_moment[2] = { 0, 5000000 };
    line("nothing came", call(SIGTIMEDWAIT, (i64)&set, 0, (i64)a_moment, 8, 0));
}

static void case_suspend(void)
{
    act(USR1, full, SIGINFO, 0);
    mask(2, bit(USR1) | bit(USR2));
    raise(USR1);
    u64 set = 0, now = 0;
    line("suspend", call(SIGSUSPEND, (i64)&set, 8, 0, 0, 0));
    call(SIGPROCMASK, 0, 0, (i64)&now, 8, 0);
    line("mask", now);
    child = fork();
    if (!child) {
        sleep_ms(20);
        call(KILL, self, USR1, 0, 0, 0);
        quit(0);
    }
    act(USR1, plain, 0, 0);
    line("suspend", call(SIGSUSPEND, (i64)&set, 8, 0, 0, 0));
    line("status", wait_for(child));
    line("bad size", call(SIGSUSPEND, (i64)&set, 4, 0, 0, 0));
}

static void case_interrupted_read(void)
{
    for (int how = 0; how < 3; how++) {
        char byte = 'x';
        call(PIPE2, (i64)fds, 0, 0, 0, 0);
        act(USR1, how == 2 ? (void *)1 : plain, how == 1 ? RESTART : 0, 0);
        child = fork();
        if (!child) {
            sleep_ms(20);
            call(KILL, self, USR1, 0, 0, 0);
            sleep_ms(20);
            call(WRITE, fds[1], (i64)&byte, 1, 0, 0);
            quit(0);
        }
        line("read", call(READ, fds[0], (i64)&byte, 1, 0, 0));
        line("status", wait_for(child));
        call(CLOSE, fds[0], 0, 0, 0, 0);
        call(CLOSE, fds[1], 0, 0, 0, 0);
    }
}

static void case_interrupted_write(void)
{
    static char much[100000];
    for (int how = 0; how < 2; how++) {
        call(PIPE2, (i64)fds, 0, 0, 0, 0);
        act(USR1, plain, how ? RESTART : 0, 0);
        child = fork();
        if (!child) {
            sleep_ms(20);
            call(KILL, self, USR1, 0, 0, 0);
            quit(0);
        }
        line("write", call(WRITE, fds[1], (i64)much, sizeof much, 0, 0));
        line("status", wait_for(child));
    }
}

static void case_interrupted_wait(void)
{
    for (int how = 0; how < 2; how++) {
        act(USR1, plain, how ? RESTART : 0, 0);
        child = fork();
        if (!child) {
            sleep_ms(20);
            call(KILL, self, USR1, 0, 0, 0);
            sleep_ms(20);
            quit(0);
        }
        int status = 0;
        i64 got = call(WAIT4, -1, (i64)&status, 0, 0, 0);
        line("wait4", got > 0 ? 1 : got);
        wait_for(-1);
    }
}

static void case_interrupted_sleep(void)
{
    i64 value[4] = { 0, 0, 0, 20000 }, time[2] = { 1, 500000000 }, left[2] = { -7, -7 };
    act(ALRM, plain, RESTART, 0);
    line("setitimer", call(SETITIMER, 0, (i64)value, 0, 0, 0));
    line("nanosleep", call(NANOSLEEP, (i64)time, (i64)left, 0, 0, 0));
    line("left, in 100 ms", left[0] * 10 + left[1] / 100000000);
    call(SETITIMER, 0, (i64)value, 0, 0, 0);
    time[0] = 1ul << 40;
    left[0] = -7;
    line("absolute", call(CLOCK_NANOSLEEP, 1, 1, (i64)time, (i64)left, 0));
    line("left", left[0]);
}

static void ticks(int signal, Info *info)
{
    if (!seen++)
        line("SIGALRM code", info->code);
}

static void case_timer(void)
{
    i64 value[4] = { 0, 2000, 0, 1000 }, old[4] = { 0, 0, 0, 0 };
    u64 set = 0;
    act(ALRM, ticks, SIGINFO, 0);
    mask(2, bit(ALRM));
    call(SETITIMER, 0, (i64)value, 0, 0, 0);
    while (seen < 5)
        call(SIGSUSPEND, (i64)&set, 8, 0, 0, 0);
    value[1] = value[3] = 0;
    line("stop", call(SETITIMER, 0, (i64)value, (i64)old, 0, 0));
    line("interval", old[1]);
    line("something was left", old[3] > 0);
    line("getitimer", call(GETITIMER, 0, (i64)old, 0, 0, 0));
    line("interval", old[1] + old[3]);
    value[3] = 1000000;
    line("too many us", call(SETITIMER, 0, (i64)value, 0, 0, 0));
    line("no such timer", call(GETITIMER, 3, (i64)old, 0, 0, 0));
}

static void on_stack(int signal, Info *info, Context *context)
{
    u64 here = (u64)&info, now[3] = { 0, 0, 0 };
    line("on the other stack", here > (u64)stack && here <= (u64)stack + sizeof stack);
    call(SIGALTSTACK, 0, (i64)now, 0, 0, 0);
    line("flags", (u32)now[1]);
    u64 off[3] = { 0, 2, 0 };
    line("change it", call(SIGALTSTACK, (i64)off, 0, 0, 0, 0));
    line("uc_stack", context->stack == (u64)stack && context->stack_size == sizeof stack);
    line("uc_stack flags", (u32)context->stack_flags);
}

static void case_altstack(void)
{
    u64 now[3] = { 1, 1, 1 }, set[3] = { (u64)stack, 0, sizeof stack };
    line("none", call(SIGALTSTACK, 0, (i64)now, 0, 0, 0));
    line("flags", (u32)now[1]);
    line("set", call(SIGALTSTACK, (i64)set, (i64)now, 0, 0, 0));
    act(USR1, on_stack, SIGINFO | ONSTACK, 0);
    raise(USR1);
    call(SIGALTSTACK, 0, (i64)now, 0, 0, 0);
    line("flags", (u32)now[1]);
    line("size", now[2]);
    set[2] = 2047;
    line("too small", call(SIGALTSTACK, (i64)set, 0, 0, 0, 0));
    set[1] = 7;
    line("bad flags", call(SIGALTSTACK, (i64)set, 0, 0, 0, 0));
    act(SEGV, fault, SIGINFO | ONSTACK, 0);
    child = fork();
    if (!child) {
        asm volatile("li sp, 4096\n .option push\n .option norvc\n sw zero, 0(sp)\n .option pop\n li a0, 5\n li a7, 94\n ecall");
    }
    line("a stack overflow is survived", wait_for(child));
}

static void tell_child(int signal, Info *info)
{
    seen++;
    line("SIGCHLD code", info->code);
    line(" status", info->status);
    line(" it is it", info->p == child);
}

static void case_sigchld(void)
{
    u64 set = 0;
    act(CHLD, tell_child, SIGINFO, 0);
    mask(2, bit(CHLD));
    for (int how = 0; how < 2; how++) {
        child = fork();
        if (!child) {
            if (how)
                call(KILL, call(GETPID, 0, 0, 0, 0, 0), K9, 0, 0, 0);
            quit(7);
        }
        call(SIGSUSPEND, (i64)&set, 8, 0, 0, 0);
        line("status", wait_for(child));
    }
}

static void case_no_zombies(void)
{
    act(CHLD, (void *)1, 0, 0);
    for (int i = 0; i < 2; i++) {
        child = fork();
        if (!child)
            quit(7);
    }
    int status;
    line("wait4", call(WAIT4, child, (i64)&status, 0, 0, 0));
    line("wait4", call(WAIT4, -1, (i64)&status, 0, 0, 0));
}

/* qemu forgets SA_NOCLDWAIT and SA_NOCLDSTOP, so what these two say is written down in test_cases.py. */
static void case_no_zombies_but_signals(void)
{
    act(CHLD, plain, NOCLDWAIT | RESTART, 0);
    child = fork();
    if (!child)
        quit(7);
    int status;
    line("wait4", call(WAIT4, child, (i64)&status, 0, 0, 0));
}

static void case_silent_stop(void)
{
    int status;
    u64 set = 0;
    act(CHLD, tell_child, SIGINFO | NOCLDSTOP, 0);
    mask(2, bit(CHLD));
    child = fork();
    if (!child)
        for (;;)
            sleep_ms(1000);
    call(KILL, child, STOP, 0, 0, 0);
    line("stopped", call(WAIT4, child, (i64)&status, 2, 0, 0) == child);
    call(KILL, child, TERM, 0, 0, 0);
    call(KILL, child, CONT, 0, 0, 0);
    call(SIGSUSPEND, (i64)&set, 8, 0, 0, 0);
    line("status", wait_for(child));
}

static void case_stop(void)
{
    int status = 0;
    u64 set = 0;
    act(CHLD, tell_child, SIGINFO, 0);
    mask(2, bit(CHLD));
    child = fork();
    if (!child)
        for (;;)
            sleep_ms(1000);
    call(KILL, child, STOP, 0, 0, 0);
    call(SIGSUSPEND, (i64)&set, 8, 0, 0, 0);
    line("stopped", call(WAIT4, child, (i64)&status, 2, 0, 0) == child);
    line("status", status);
    call(KILL, child, CONT, 0, 0, 0);
    call(SIGSUSPEND, (i64)&set, 8, 0, 0, 0);
    line("continued", call(WAIT4, child, (i64)&status, 8, 0, 0) == child);
    line("status", status);
    call(KILL, child, TERM, 0, 0, 0);
    call(SIGSUSPEND, (i64)&set, 8, 0, 0, 0);
    line("status", wait_for(child));
}

static void case_sigpipe(void)
{
    char byte = 1;
    call(PIPE2, (i64)fds, 0, 0, 0, 0);
    call(CLOSE, fds[0], 0, 0, 0, 0);
    act(PIPE, full, SIGINFO, 0);
    line("write", call(WRITE, fds[1], (i64)&byte, 1, 0, 0));
    act(PIPE, (void *)1, 0, 0);
    line("write", call(WRITE, fds[1], (i64)&byte, 1, 0, 0));
    child = fork();
    if (!child) {
        act(PIPE, 0, 0, 0);
        call(WRITE, fds[1], (i64)&byte, 1, 0, 0);
        quit(0);
    }
    line("status", wait_for(child));
}

static void case_refused(void)
{
    Action action = { 1, 0, ~0ul, ~0ul };
    line("SIGKILL", call(SIGACTION, K9, (i64)&action, 0, 8, 0));
    line("SIGSTOP", call(SIGACTION, STOP, (i64)&action, 0, 8, 0));
    line("0", call(SIGACTION, 0, (i64)&action, 0, 8, 0));
    line("65", call(SIGACTION, 65, (i64)&action, 0, 8, 0));
    line("size", call(SIGACTION, USR1, (i64)&action, 0, 4, 0));
    line("mask size", call(SIGPROCMASK, 0, 0, 0, 4, 0));
    line("how", mask(3, 0));
    line("all", mask(2, ~0ul));
    u64 now = 0;
    call(SIGPROCMASK, 0, 0, (i64)&now, 8, 0);
    line("SIGKILL, SIGSTOP blocked", now & (bit(K9) | bit(STOP)));
    line("tkill 0", call(TKILL, 0, USR1, 0, 0, 0));
    line("tgkill", call(TGKILL, 0, self, USR1, 0, 0));
    line("nobody", call(TKILL, 4000000, USR1, 0, 0, 0));
    line("kill 65", raise(65));
    line("kill 0", raise(0));
    child = fork();
    if (!child)
        quit(0);
    Info info = { .signo = 1, .code = 0 };
    line("forged", call(SIGQUEUEINFO, child, USR1, (i64)&info, 0, 0));
    wait_for(child);
}

static const struct { const char *name; void (*run)(void); } cases[] = {
    { "frame", case_frame }, { "faults", case_faults }, { "forced", case_forced }, { "nesting", case_nesting },
    { "queue", case_queue }, { "values", case_values }, { "suspend", case_suspend },
    { "interrupted_read", case_interrupted_read }, { "interrupted_write", case_interrupted_write },
    { "interrupted_wait", case_interrupted_wait }, { "interrupted_sleep", case_interrupted_sleep },
    { "timer", case_timer }, { "altstack", case_altstack }, { "sigchld", case_sigchld },
    { "no_zombies", case_no_zombies }, { "no_zombies_but_signals", case_no_zombies_but_signals },
    { "silent_stop", case_silent_stop }, { "stop", case_stop }, { "sigpipe", case_sigpipe }, { "refused", case_refused },
};

static int same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

void begin(i64 *sp)
{
    child = fork();  /* not as pid 1 (here) nor as the child of something that ignores signals (qemu) */
    if (child) {
        int status = wait_for(child);
        quit(status & 0x7f ? 128 + (status & 0x7f) : status >> 8);
    }
    self = call(GETPID, 0, 0, 0, 0, 0);
    for (u64 i = 0; i < sizeof cases / sizeof *cases; i++)
        if (same((char *)sp[2], cases[i].name))
            cases[i].run();
    quit(0);
}

asm(".globl _start\n_start: mv a0, sp\n andi sp, sp, -16\n tail begin");
