/* Plays scripts: pid 1 reads them from stdin and becomes player 0; the others are born of FORK operations.

A script is a list of operations, each of 8 bytes: the player who does it, what, and six operands. They are done one after
the other whoever does them: each player waits for a token in its own pipe, does its operation, and passes the token on to
whose turn is next. An operation that may block or end its player has WAITS set: the token goes on before it is done.
So what is written depends on no schedule. Each player writes into a log of its own, in a memory file that survives fork,
exec and death; player 0 prints them at the end. Pids are written as the names of players.

tests/differential/scripts.py makes the scripts, and knows which operations have one possible outcome. */
#include "linux.h"
#include "threads.h"

enum { NOP, FORK, EXIT, KILL, SETTLE, WAIT4, WAITID, SIGACTION, SIGMASK, SIGPENDING, SIGTIMEDWAIT, SIGQUEUE, GETPPID, SETPGID,
       GETPGID, SETSID, GETSID, PRCTL, POKE, PEEK, MAP, UNMAP, PROTECT, TOUCH, LOOK, PIPE, WRITE, READ, CLOSE, CLOEXEC, EXEC,
       VFORK, UMASK, BRK, CROWD, PIPELINE, ADVISE, THREADS, PIDFD, EVENT, POLL, LOCK };
enum { WAITS = 1 };

struct operation { byte player, what, a, b, c, d, e, flags; };

#define PLAYERS 16
#define LOG 8192
#define OPERATIONS 512

/* What all players share, at the same address in each. */
struct stage {
    struct operation script[OPERATIONS];
    int length;
    int pids[PLAYERS]; /* of each player, once it is born */
    int used[PLAYERS]; /* bytes of its log */
    char log[PLAYERS][LOG];
};
#define STAGE ((struct stage *)0x2000000000)
#define STAGE_FD 100
#define TOKEN_FD 104 /* and the next one, for player 0; and so on */
#define MAPS 0x2100000000 /* where MAP maps, 1 MiB for each slot */
#define PAGE 4096
#define SLOT_FD 20 /* of PIPE's slot 0: 20 and 21; and so on */
#define EVENT_FD 40 /* of EVENT's slot 0 */
#define PIDFD_FD 50 /* of PIDFD's slot 0 */
#define LOCKED_FD 90 /* a file that LOCK locks parts of */

static word cells[4][PAGE / sizeof(word)] __attribute__((aligned(PAGE))); /* private memory for POKE and PEEK */
static word initialized[4] = {11, 22, 33, 44};
static byte buffer[2 * PAGE];
static byte me;
static int at; /* the index of the operation that is being done */

/* --- the log --- */

/* A handler may run while its player waits for its turn, or in the operation itself, as it happens. What it writes is kept
until the operation has been written, where it always comes. */
static char aside[1024];
static volatile int in_handler, used_aside;

static void put(char c)
{
    if (in_handler) {
        if (used_aside < (int)sizeof aside) aside[used_aside++] = c;
    } else if (STAGE->used[me] < LOG) STAGE->log[me][STAGE->used[me]++] = c;
}

static void text(const char *s)
{
    while (*s) put(*s++);
}

static void put_aside(void)
{
    for (int i = 0; i < used_aside; i++) put(aside[i]);
    used_aside = 0;
}

static void number(long value)
{
    char digits[24];
    int count = 0;
    word left = value < 0 ? -(word)value : (word)value;
    if (value < 0) put('-');
    do digits[count++] = '0' + left % 10; while (left /= 10);
    while (count) put(digits[--count]);
}

static void item(const char *what, long value)
{
    put(' ');
    text(what);
    number(value);
}

/* A process, group or session by the name of the player whose pid it is. */
static void name(const char *what, long pid)
{
    put(' ');
    text(what);
    for (int i = PLAYERS; pid > 0 && i-- > 0;)
        if (STAGE->pids[i] == pid) {
            put('p');
            number(i);
            return;
        }
    if (pid > 0) text("stranger");
    else number(pid);
}

static void result(long value)
{
    item("= ", value);
}

/* Players as operands: the pid of a player, of its group (negative), or a number that is none's. */
static int pid_of(byte operand)
{
    if (operand < PLAYERS) return STAGE->pids[operand];
    if (operand < 2 * PLAYERS) return -STAGE->pids[operand - PLAYERS];
    return operand == 200 ? 0 : operand == 201 ? -1 : operand == 202 ? 30000 : operand == 203 ? -30000 : -2147483647 - 1;
}

/* --- signals --- */

static void handler(int signal, struct siginfo *info, void *context)
{
    (void)context;
    in_handler++;
    text("    handler");
    item("signal ", signal);
    item("code ", info->code == 3 && signal == 17 ? 2 : info->code); /* whether a core is dumped is the host's affair */
    if (info->code <= 0 || signal == 17) name("from ", info->pid);
    if (signal == 17) item("status ", info->status);
    if (info->code == -1) item("value ", info->value);
    put('\n');
    in_handler--;
}

/* Without SA_SIGINFO what the others would be told is left unsaid by some kernels. */
static void plain_handler(int signal)
{
    in_handler++;
    text("    plain handler");
    item("signal ", signal);
    put('\n');
    in_handler--;
}

static void watchdog(int signal, struct siginfo *info, void *context);

static long set_action(int signal, void *what, word flags, word mask)
{
    struct action action = {0};
    action.handler = what;
    action.flags = flags;
    SET_RESTORER(action);
    action.mask = mask;
    return SYS(rt_sigaction, signal, &action, 0, 8);
}

static void sigaction(struct operation *op)
{
    static const word flags[] = {0x10000000, 0x80000000, 0x40000000, 1, 2, 4}; /* RESTART RESETHAND NODEFER NOCLD* SIGINFO */
    word chosen = 0;
    for (int i = 0; i < 6; i++)
        if (op->c >> i & 1) chosen |= flags[i];
    void *ours = chosen & 4 ? (void *)handler : (void *)plain_handler;
    result(set_action(op->a, op->b == 2 ? ours : (void *)(word)op->b, chosen, op->d ? 1ul << (op->d - 1) : 0));
}

static void print_set(word set)
{
    for (int i = 1; i <= 64; i++)
        if (set >> (i - 1) & 1) item("", i);
}

static void sigmask(struct operation *op)
{
    word set = (op->b ? 1ul << (op->b - 1) : 0) | (op->c ? 1ul << (op->c - 1) : 0), old = 0;
    long answer = SYS(rt_sigprocmask, op->a, &set, &old, 8);
    result(answer);
    text(" before:");
    print_set(old);
}

static void sigpending(void)
{
    word set = 0;
    result(SYS(rt_sigpending, &set, 8));
    text(":");
    print_set(set);
}

static void print_info(struct siginfo *info)
{
    item("signal ", info->signal);
    item("code ", info->code == 3 && info->signal == 17 ? 2 : info->code);
    name("pid ", info->pid);
    if (info->signal == 17) item("status ", info->status);
    if (info->code == -1) item("value ", info->value);
}

static void sigtimedwait(struct operation *op)
{
    word set = (op->a ? 1ul << (op->a - 1) : 0) | (op->b ? 1ul << (op->b - 1) : 0);
    struct siginfo info = {0};
    struct timespec at_once = {0, 0};
    long answer = SYS(rt_sigtimedwait, &set, &info, &at_once, 8);
    result(answer);
    if (answer > 0) print_info(&info);
}

static void sigqueue(struct operation *op)
{
    struct siginfo info = {0};
    info.signal = op->b;
    info.code = -1;
    info.pid = STAGE->pids[me];
    info.value = op->c;
    result(SYS(rt_sigqueueinfo, pid_of(op->a), op->b, &info));
}

/* --- children --- */

static const int wait_options[] = {1, 2, 8, 0x40000000, (int)0x80000000, 4, 0x01000000, 0x20000000};

static long options_of(byte bits)
{
    word options = 0;
    for (int i = 0; i < 8; i++)
        if (bits >> i & 1) options |= (unsigned)wait_options[i];
    return (int)options;
}

static void print_status(int status)
{
    if ((status & 0x7f) && (status & 0xff) != 0x7f) status &= ~0x80;
    item("status ", status);
}

static void wait4(struct operation *op)
{
    int status = -1;
    long pid = SYS(wait4, pid_of(op->a), &status, options_of(op->b), 0);
    name("= ", pid);
    if (pid > 0) print_status(status);
}

static void waitid(struct operation *op)
{
    struct siginfo info;
    memset(&info, 0x55, sizeof info);
    int id = op->a == 1 || op->a == 2 ? pid_of(op->b) : 0;
    long answer = SYS(waitid, op->a, id, &info, options_of(op->c), 0);
    result(answer);
    if (answer) return;
    if (info.signal) print_info(&info);
    else name("nobody ", info.pid);
}

/* Until the child `a` has ended (4), stopped (2) or gone on (8), without taking the news away. */
static void settle(struct operation *op)
{
    struct siginfo info = {0};
    long answer;
    do answer = SYS(waitid, 1, pid_of(op->a), &info, op->b | 0x41000000, 0); while (answer == -4);
    result(answer);
    if (!answer) print_info(&info);
}

static NORETURN void leave(int status)
{
    for (;;) SYS(exit_group, status);
}

static void play(void);

static void born(byte player)
{
    me = player;
    STAGE->pids[me] = SYS(getpid);
    at++;
}

/* kind 0: fork. 1: it tells its parent nothing when it ends. 2: it is a child of our parent. */
static void fork(struct operation *op)
{
    static const long flags[] = {17, 0, 17 | 0x8000};
    long pid = CLONE(flags[op->b], 0, 0, 0, 0);
    if (!pid) {
        born(op->a);
        play();
    }
    if (pid > 0) STAGE->pids[op->a] = pid;
    name("= ", pid);
}

static void exec(byte player, int next)
{
    char words[2][4] = {{'0' + player / 10, '0' + player % 10, 0}, {'0' + next / 100, '0' + next / 10 % 10, '0' + next % 10, 0}};
    char *argv[] = {"player", words[0], words[1], 0}, *envp[] = {0};
    result(SYS(execve, "/bin/init", argv, envp));
}

/* The child uses our memory: it changes a cell, then execs as the new player (b = 0), or exits. */
static void vfork(struct operation *op)
{
    byte old = me;
    long pid = CLONE(0x4111, 0, 0, 0, 0);
    if (!pid) {
        cells[op->c & 3][0] = op->d;
        STAGE->pids[op->a] = SYS(getpid);
        if (op->b) leave(op->b);
        exec(op->a, at + 1);
        leave(99);
    }
    me = old;
    name("= ", pid);
    item("cell ", cells[op->c & 3][0]);
    struct operation ended = {me, SETTLE, op->a, 4, 0, 0, 0, 0};
    if (op->b) settle(&ended); /* it goes on before the child is a zombie */
}

/* --- memory --- */

static byte *place(byte slot, byte page)
{
    return (byte *)MAPS + ((word)(slot & 3) << 20) + (word)page * PAGE;
}

static const int protections[] = {0, 1, 3, 2, 5, 7};

/* kind 0: private; 1: shared by all who are born of us; 2, 3: a memory file, private or shared. */
static void map(struct operation *op)
{
    static const int flags[] = {0x32, 0x31, 0x12, 0x11};
    int fd = op->b & 2 ? SYS(memfd_create, "m", 0) : -1;
    if (fd >= 0) SYS(ftruncate, fd, (long)op->d * PAGE);
    long answer = call(__NR_mmap, (long)place(op->a, 0), op->c * PAGE, protections[op->e % 6], flags[op->b & 3], fd, 0);
    if (fd >= 0) SYS(close, fd);
    result(answer < 0 && answer > -4096 ? answer : 0);
}

/* A byte is stored by the kernel, in a way that answers EFAULT where the program itself would die. */
static void touch(struct operation *op)
{
    int pipe[2];
    SYS(pipe2, pipe, 0);
    buffer[0] = op->c;
    SYS(write, pipe[1], buffer, 1);
    result(SYS(read, pipe[0], place(op->a, op->b) + op->d, 1));
    SYS(close, pipe[0]);
    SYS(close, pipe[1]);
}

static void look(struct operation *op)
{
    int pipe[2];
    SYS(pipe2, pipe, 0);
    buffer[0] = 0;
    long answer = SYS(write, pipe[1], place(op->a, op->b) + op->d, 1);
    if (answer == 1) SYS(read, pipe[0], buffer, 1);
    result(answer);
    item("byte ", buffer[0]);
    SYS(close, pipe[0]);
    SYS(close, pipe[1]);
}

static void brk(struct operation *op)
{
    word start = SYS(brk, 0), wanted = op->a ? start - op->b * 512l : start + op->b * 512l;
    word now = SYS(brk, wanted);
    item("moved ", (long)(now - start));
    if (now > start) {
        word sum = 0;
        for (word i = start; i < now; i += 512) sum += *(byte *)i; /* what was given back comes again as zeros */
        for (word i = start; i < now; i += 512) *(byte *)i = me + 1;
        item("found ", sum);
    }
}

/* --- pipes --- */

static void make_pipe(struct operation *op)
{
    int pipe[2];
    long answer = SYS(pipe2, pipe, 04000);
    if (answer == 0)
        for (int i = 0; i < 2; i++) {
            SYS(dup3, pipe[i], SLOT_FD + 2 * op->a + i, op->b ? 02000000 : 0);
            SYS(close, pipe[i]);
        }
    result(answer);
}

static void write_pipe(struct operation *op)
{
    for (int i = 0; i < op->b * 32; i++) buffer[i] = me * 16 + i;
    long total = 0, answer = 0;
    for (int i = 0; i <= op->c && answer >= 0; i++)
        if ((answer = SYS(write, SLOT_FD + 2 * op->a + 1, buffer, op->b * 32)) > 0) total += answer;
    result(answer);
    item("total ", total);
}

static void read_pipe(struct operation *op)
{
    long answer = SYS(read, SLOT_FD + 2 * op->a, buffer, op->b * 32);
    word sum = 0;
    for (long i = 0; i < answer; i++) sum = sum * 31 + buffer[i];
    result(answer);
    item("sum ", sum & 0xffffff);
}

/* --- other files --- */

/* A new descriptor becomes number `fd`. */
static long place_at(long made, int fd)
{
    if (made < 0) return made;
    SYS(dup3, made, fd, 0);
    SYS(close, made);
    return 0;
}

/* kind 0: open one for a player. 1: wait by it. 2: is it ready? 3: a signal that asks only. 4: close. */
static void pidfd(struct operation *op)
{
    int fd = PIDFD_FD + op->a, poll[2] = {fd, 1};
    struct timespec at_once = {0, 0};
    struct siginfo info = {0};
    long answer;
    switch (op->b) {
    case 0: result(place_at(SYS(pidfd_open, pid_of(op->c), 0), fd)); break;
    case 1:
        answer = SYS(waitid, 3, fd, &info, options_of(op->d), 0);
        result(answer);
        if (!answer && info.signal) print_info(&info);
        break;
    case 2:
        result(SYS(ppoll, poll, 1, &at_once, 0, 8));
        item("events ", poll[1] >> 16);
        break;
    case 3: result(SYS(pidfd_send_signal, fd, 0, 0, 0)); break;
    default: result(SYS(close, fd));
    }
}

/* kind 0: a new one, counting by one if `d`. 1: add. 2: read. */
static void event(struct operation *op)
{
    int fd = EVENT_FD + op->a;
    word value = op->c == 255 ? -1ul : op->c == 254 ? -2ul : op->c;
    switch (op->b) {
    case 0: result(place_at(SYS(eventfd2, op->c, 04000 | (op->d & 1)), fd)); break;
    case 1: result(SYS(write, fd, &value, 8)); break;
    default:
        value = 0;
        result(SYS(read, fd, &value, op->d & 1 ? 8 : 7 + op->d));
        item("value ", value);
    }
}

/* What pipes, events and pidfds are ready for, all at once. */
static void poll_all(void)
{
    struct { int fd; short events, revents; } polls[10];
    struct timespec at_once = {0, 0};
    for (int i = 0; i < 10; i++) {
        polls[i].fd = i < 6 ? SLOT_FD + i : i < 8 ? EVENT_FD + i - 6 : PIDFD_FD + i - 8;
        polls[i].events = 1 | 4;
    }
    result(SYS(ppoll, polls, 10, &at_once, 0, 8));
    for (int i = 0; i < 10; i++) item("", polls[i].revents);
}

/* type 0: for reading, 1: for writing, 2: none; 3 and more: who has what is in the way of type - 3? */
static void lock_part(struct operation *op)
{
    struct { short type, whence; long start, length; int pid; } part = {op->a % 3, 0, op->b, op->c, 0};
    int asks = op->a >= 3;
    result(SYS(fcntl, LOCKED_FD, asks ? 5 : 6, &part));
    if (!asks) return;
    item("type ", part.type);
    if (part.type == 2) return;
    item("from ", part.start);
    item("length ", part.length);
    name("of ", part.pid);
}

/* --- many at once: what they do together has one outcome, whoever runs first --- */

/* `a` children of whom each adds to shared cells of its own, and its own; they are waited for in any order. */
static void crowd(struct operation *op)
{
    volatile int *shared = (int *)call(__NR_mmap, 0, PAGE, 3, 0x21, -1, 0);
    for (int i = 0; i < op->a; i++)
        if (!CLONE(17, 0, 0, 0, 0)) {
            for (int n = 0; n < op->b; n++) {
                shared[i]++;
                cells[0][8] += i;
                if (n % 8 == 0) SYS(sched_yield);
            }
            __atomic_fetch_add(&shared[100], (int)cells[0][8], __ATOMIC_RELAXED);
            long self = SYS(getpid);
            if (i % 3 == 2) SYS(kill, self, 9);
            leave(op->b + i);
        }
    int status, ended = 0, sum = 0;
    for (; ended < op->a; ended++) {
        long pid = SYS(wait4, -1, &status, 0, 0);
        if (pid == -4) { ended--; continue; }
        if (pid < 0) break;
        sum += status;
    }
    item("ended ", ended);
    item("statuses ", sum);
    item("together ", shared[100]);
    for (int i = 0; i < op->a; i++) item("", shared[i]);
    item("mine ", cells[0][8]);
    SYS(munmap, shared, PAGE);
}

static void all_of(int fd, long bytes, byte seed)
{
    while (bytes > 0) {
        long now = bytes < 3000 ? bytes : 3000;
        for (long i = 0; i < now; i++) buffer[i] = seed + i;
        long done = SYS(write, fd, buffer, now);
        if (done <= 0) leave(98);
        bytes -= done;
    }
}

/* `a` writers fill one pipe; we read until the last of them has closed it. */
static void pipeline(struct operation *op)
{
    int pipe[2], status;
    word sum = 0, total = 0;
    SYS(pipe2, pipe, 0);
    for (int i = 0; i < op->a; i++)
        if (!CLONE(17, 0, 0, 0, 0)) {
            SYS(close, pipe[0]);
            all_of(pipe[1], op->b * 512l, i);
            leave(0);
        }
    SYS(close, pipe[1]);
    for (long got; (got = SYS(read, pipe[0], buffer, op->c * 16 + 1)) != 0;)
        for (long i = 0; i < got; i++, total++) sum += buffer[i];
    SYS(close, pipe[0]);
    item("bytes ", total);
    item("sum ", sum);
    for (int i = 0; i < op->a;) i += SYS(wait4, -1, &status, 0, 0) > 0;
}

/* --- the play --- */

static void perform(struct operation *op)
{
    switch (op->what) {
    case NOP: break;
    case FORK: fork(op); break;
    case EXIT: leave(op->a);
    case KILL: result(SYS(kill, pid_of(op->a), op->b)); break;
    case SETTLE: settle(op); break;
    case WAIT4: wait4(op); break;
    case WAITID: waitid(op); break;
    case SIGACTION: sigaction(op); break;
    case SIGMASK: sigmask(op); break;
    case SIGPENDING: sigpending(); break;
    case SIGTIMEDWAIT: sigtimedwait(op); break;
    case SIGQUEUE: sigqueue(op); break;
    case GETPPID: name("= ", SYS(getppid)); break;
    case SETPGID: result(SYS(setpgid, pid_of(op->a), pid_of(op->b))); break;
    case GETPGID: name("= ", SYS(getpgid, pid_of(op->a))); break;
    case SETSID: name("= ", SYS(setsid)); break;
    case GETSID: name("= ", SYS(getsid, pid_of(op->a))); break;
    case PRCTL: result(SYS(prctl, op->a, op->b, 0, 0, 0)); break;
    case POKE: cells[op->a & 3][op->b] = op->c; break;
    case PEEK: item("cell ", cells[op->a & 3][op->b]); item("initialized ", initialized[op->a & 3]++); break;
    case MAP: map(op); break;
    case UNMAP: result(SYS(munmap, place(op->a, op->b), op->c * PAGE)); break;
    case PROTECT: result(SYS(mprotect, place(op->a, op->b), op->c * PAGE, protections[op->d % 6])); break;
    case ADVISE: result(SYS(madvise, place(op->a, op->b), op->c * PAGE, op->d)); break;
    case TOUCH: touch(op); break;
    case LOOK: look(op); break;
    case PIPE: make_pipe(op); break;
    case WRITE: write_pipe(op); break;
    case READ: read_pipe(op); break;
    case CLOSE: result(SYS(close, SLOT_FD + 2 * op->a + (op->b & 1))); break;
    case CLOEXEC: result(SYS(fcntl, SLOT_FD + 2 * op->a + (op->b & 1), 2, op->c & 1)); break;
    case EXEC: exec(me, at + 1); break;
    case VFORK: vfork(op); break;
    case UMASK: result(SYS(umask, op->a)); break;
    case BRK: brk(op); break;
    case CROWD: crowd(op); break;
    case THREADS: item("= ", threads(op->a, op->b, op->c)); break;
    case PIDFD: pidfd(op); break;
    case EVENT: event(op); break;
    case POLL: poll_all(); break;
    case LOCK: lock_part(op); break;
    case PIPELINE: pipeline(op); break;
    }
}

static void pass_on(void)
{
    if (at + 1 >= STAGE->length) return;
    byte next = STAGE->script[at + 1].player;
    if (next != me) SYS(write, TOKEN_FD + 2 * next + 1, "", 1);
}

/* The turn is ours: has it come from somebody else, then in the token pipe. */
static void wait_for_turn(void)
{
    char token;
    if (at > 0 && STAGE->script[at - 1].player != me)
        while (SYS(read, TOKEN_FD + 2 * me, &token, 1) != 1) {}
    SYS(getpid); /* signals that were sent to us before our turn are seen now at the latest */
}

static void play(void)
{
    for (; at < STAGE->length; at++) {
        struct operation *op = &STAGE->script[at];
        if (op->player != me) continue;
        wait_for_turn();
        item("", at);
        text(": ");
        number(op->what);
        if (op->flags & WAITS) pass_on();
        perform(op);
        put('\n');
        put_aside();
        if (!(op->flags & WAITS)) pass_on();
    }
    while (me) SYS(read, TOKEN_FD + 2 * me, buffer, 1); /* whoever has no more turns is ended by somebody else's */
}

/* --- pid 1 --- */

static void print(const char *what, long size)
{
    while (size > 0) {
        long done = SYS(write, 1, what, size);
        if (done <= 0) leave(97);
        what += done;
        size -= done;
    }
}

static void print_logs(void)
{
    for (int i = 0; i < PLAYERS; i++)
        if (STAGE->used[i]) {
            char title[] = "p00\n";
            title[1] += i / 10;
            title[2] += i % 10;
            print(title, 4);
            print(STAGE->log[i], STAGE->used[i]);
            if (STAGE->log[i][STAGE->used[i] - 1] != '\n') print("\n", 1);
        }
    print(".\n", 2);
}

static void watchdog(int signal, struct siginfo *info, void *context)
{
    (void)signal, (void)info, (void)context;
    text(" TOO LONG");
    print_logs();
    leave(96);
}

static void set_watchdog(long seconds)
{
    long times[4] = {0, 0, seconds, 0};
    set_action(14, (void *)watchdog, 0, 0);
    SYS(setitimer, 0, times, 0);
}

static int take(void *to, long size)
{
    for (long have = 0, now; have < size; have += now)
        if ((now = SYS(read, 0, (byte *)to + have, size - have)) <= 0) return 0;
    return 1;
}

static void open_stage(void)
{
    call(__NR_mmap, (long)STAGE, sizeof(struct stage), 3, 0x11, STAGE_FD, 0);
}

static void build_stage(void)
{
    long limit[2] = {1, 1}, memory = SYS(memfd_create, "stage", 0);
    SYS(setsid);
    SYS(prlimit64, 0, 4, limit, 0); /* no core: under 1 byte none is begun */
    SYS(ftruncate, memory, sizeof(struct stage));
    SYS(dup3, memory, STAGE_FD, 0);
    SYS(close, memory);
    open_stage();
    place_at(SYS(memfd_create, "locked", 0), LOCKED_FD);
    set_action(13, (void *)1, 0, 0);
    for (int i = 0; i < PLAYERS; i++) {
        int pipe[2];
        SYS(pipe2, pipe, 0);
        for (int end = 0; end < 2; end++) {
            SYS(dup3, pipe[end], TOKEN_FD + 2 * i + end, 0);
            SYS(close, pipe[end]);
        }
    }
}

/* Whoever is left is waited for, in the order in which the kernel finds them. */
static void reap_all(void)
{
    for (;;) {
        int status = 0;
        long pid = SYS(wait4, -1, &status, 0x40000000, 0);
        name("reaped ", pid);
        if (pid < 0) break;
        print_status(status);
    }
    put('\n');
}

static void play_script(void)
{
    set_watchdog(10);
    memset(STAGE->used, 0, sizeof STAGE->used);
    memset(STAGE->pids, 0, sizeof STAGE->pids);
    STAGE->pids[0] = 1;
    at = 0;
    play();
    for (int fd = SLOT_FD; fd < PIDFD_FD + 4; fd++) SYS(close, fd);
    reap_all();
    set_watchdog(0);
    print_logs();
}

NORETURN void start(word *stack)
{
    char **argv = (char **)(stack + 1);
    if (stack[0] == 3) {
        me = (argv[1][0] - '0') * 10 + argv[1][1] - '0';
        at = (argv[2][0] - '0') * 100 + (argv[2][1] - '0') * 10 + argv[2][2] - '0';
        open_stage();
        text(" in a new program\n");
        if (STAGE->script[--at].what == EXEC) pass_on();
        at++;
        play();
    }
    if (stack[0] == 2) leave(argv[1][0]); /* a thread's exec: threads.h */
    build_stage();
    while (take(&STAGE->length, 4) && STAGE->length <= OPERATIONS && take(STAGE->script, STAGE->length * 8)) play_script();
    leave(0);
}
