/* What threads do together, each with one outcome whoever runs first: the operation THREADS of player.c. */

#define MOST_THREADS 6
#define THREAD 0x350f00 /* VM FS FILES SIGHAND THREAD SYSVSEM PARENT_SETTID CHILD_CLEARTID: what qemu-riscv64 takes */
enum { FUTEX_WAIT, FUTEX_WAKE, FUTEX_CMP_REQUEUE = 4, FUTEX_WAKE_OP, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET, PRIVATE = 128 };

static byte thread_stacks[MOST_THREADS][8192] __attribute__((aligned(16)));
static int tids[MOST_THREADS];
static volatile int lock, counter, gate, other, ready, rounds, handled_by;

static long futex(volatile int *at, int operation, int value, void *timeout, volatile int *second, int third)
{
    return call(__NR_futex, (long)at, operation, value, (long)timeout, (long)second, third);
}

static int begin(int index, void (*function)(word), word argument)
{
    tids[index] = 1;
    return thread(THREAD, thread_stacks[index] + sizeof thread_stacks[index], function, argument, &tids[index]) > 0;
}

/* Linux clears the word and wakes who waits for it when the thread has gone. */
static void join(int index)
{
    for (int tid; (tid = *(volatile int *)&tids[index]);) futex(&tids[index], FUTEX_WAIT, tid, 0, 0, 0);
}

static int together(int count, void (*function)(word))
{
    int begun = 0;
    for (int i = 0; i < count; i++) begun += begin(i, function, i);
    for (int i = 0; i < begun; i++) join(i);
    return begun;
}

/* 0: free, 1: held, 2: held, and somebody sleeps. */
static void take_lock(void)
{
    int seen = 0;
    if (__atomic_compare_exchange_n(&lock, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
    while (__atomic_exchange_n(&lock, 2, __ATOMIC_ACQUIRE)) futex(&lock, FUTEX_WAIT | PRIVATE, 2, 0, 0, 0);
}

static void free_lock(void)
{
    if (__atomic_exchange_n(&lock, 0, __ATOMIC_RELEASE) == 2) futex(&lock, FUTEX_WAKE | PRIVATE, 1, 0, 0, 0);
}

static void count_locked(word index)
{
    for (int i = 0; i < rounds; i++) {
        take_lock();
        int seen = counter;
        if (i % 5 == (int)index % 5) SYS(sched_yield);
        counter = seen + 1;
        free_lock();
    }
}

/* Everybody waits until all are there. */
static void meet(word index)
{
    if (__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST) == rounds) {
        __atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
        futex(&gate, FUTEX_WAKE | PRIVATE, 1000, 0, 0, 0);
    }
    while (!gate) futex(&gate, FUTEX_WAIT | PRIVATE, 0, 0, 0, 0);
    __atomic_add_fetch(&counter, ready * 10 + (int)index, __ATOMIC_SEQ_CST);
}

/* Sleeps on `gate` until it is woken there or, moved, on `other`: once, whatever the words say. */
static void sleep_once(word index)
{
    (void)index;
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    if (futex(&gate, FUTEX_WAIT | PRIVATE, 0, 0, 0, 0) == 0) __atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
}

/* All but one of the sleepers are moved, then woken where they are now. */
static long requeue(int count)
{
    long gone = 0, woken = 0;
    for (int i = 0; i < count; i++) begin(i, sleep_once, i);
    while (gone < 1) gone = futex(&gate, FUTEX_WAKE | PRIVATE, 1, 0, 0, 0);
    while (gone < count) gone += futex(&gate, FUTEX_CMP_REQUEUE | PRIVATE, 0, (void *)100, &other, 0);
    while (woken < count - 1) { /* a sleeper that the host disturbs begins again where it slept first (1 in 7,000) */
        woken += futex(&other, FUTEX_WAKE | PRIVATE, 1, 0, 0, 0);
        futex(&gate, FUTEX_CMP_REQUEUE | PRIVATE, 0, (void *)100, &other, 0);
    }
    for (int i = 0; i < count; i++) join(i);
    return gone * 10000 + woken * 100 + counter;
}

static void sleep_for_ever(word index)
{
    (void)index;
    for (;;) futex(&gate, FUTEX_WAIT | PRIVATE, 0, 0, 0, 0);
}

static void end_all(word code)
{
    SYS(exit_group, code);
}

static void exec_from_here(word code)
{
    char letter[] = {(char)code, 0}, *argv[] = {"player", letter, 0}, *envp[] = {0};
    SYS(execve, "/bin/init", argv, envp);
    SYS(exit_group, 95);
}

static void fault(word address)
{
    *(volatile int *)address = 1;
}

/* Ends when the thread before it has gone. */
static void end_after(word index)
{
    while (*(volatile int *)&tids[index - 1]) SYS(sched_yield);
    SYS(exit, index * 10);
}

static void nothing(word index)
{
    (void)index;
}

/* A process with `count` sleeping threads comes to its end in several ways: the status that its parent finds. */
static long end_of_process(int count, int how, int code)
{
    int status = 0;
    long pid = CLONE(17, 0, 0, 0, 0);
    if (!pid) {
        static void (*const enders[])(word) = {end_all, exec_from_here, fault};
        if (how < 3) {
            for (int i = 0; i < count - 1; i++) begin(i, sleep_for_ever, 0);
            begin(count - 1, enders[how], how == 2 ? 8 : (word)code);
            sleep_for_ever(0);
        } else if (how == 3) { /* one thread after the other; which one's status is the process's? */
            tids[0] = 1;
            for (int i = 1; i < count; i++) begin(i, end_after, i);
            begin(0, nothing, 0);
            SYS(exit, code);
        } else { /* a signal for the whole process ends all */
            for (int i = 0; i < count; i++) begin(i, sleep_for_ever, 0);
            long self = SYS(getpid);
            SYS(kill, self, 9);
        }
    }
    while (SYS(wait4, pid, &status, 0x40000000, 0) == -4) {}
    return status & ~0x80;
}

/* Two processes take turns through a word that they share. */
static long across_processes(int times)
{
    volatile int *word = (int *)call(__NR_mmap, 0, 4096, 3, 0x21, -1, 0);
    int status;
    long pid = CLONE(17, 0, 0, 0, 0), mine = pid ? 0 : 1;
    for (int i = 0; i < times; i++) {
        for (int seen; ((seen = word[0]) & 1) != mine;) futex(&word[0], FUTEX_WAIT, seen, 0, 0, 0);
        word[1] += pid ? 1 : 100;
        word[0]++;
        futex(&word[0], FUTEX_WAKE, 1, 0, 0, 0);
    }
    if (!pid) SYS(exit_group, 0);
    while (SYS(wait4, pid, &status, 0x40000000, 0) == -4) {}
    long total = word[1] * 1000 + word[0];
    SYS(munmap, word, 4096);
    return total;
}

/* What the call answers when nobody sleeps, and to those who may not. */
static long answers(int which)
{
    struct timespec moment = {0, 1000}, wrong = {0, -1}, past = {0, 1};
    int words[2] = {5, 6};
    switch (which % 9) {
    case 0: return futex(words, FUTEX_WAIT, 4, 0, 0, 0);
    case 1: return futex(words, FUTEX_WAIT, 5, &moment, 0, 0);
    case 2: return futex(words, FUTEX_WAIT, 5, &wrong, 0, 0);
    case 3: return futex((int *)((char *)words + 1), FUTEX_WAIT, 5, 0, 0, 0);
    case 4: return futex((int *)8, FUTEX_WAIT, 5, 0, 0, 0);
    case 5: return futex(words, FUTEX_WAIT_BITSET, 5, &past, 0, -1);
    case 6: return futex(words, FUTEX_WAKE_BITSET, 1, 0, 0, 0);
    case 7: return futex(words, FUTEX_CMP_REQUEUE, 1, (void *)1, words + 1, 6);
    default: return futex(words, FUTEX_WAKE_OP, 1, (void *)1, words + 1, 1 << 28 | 7 << 12) * 100 + words[1];
    }
}

static long threads(int kind, int count, int number)
{
    lock = counter = gate = other = ready = 0;
    rounds = number;
    switch (kind) {
    case 0: return together(count, count_locked) * 100000 + counter;
    case 1: rounds = count; return together(count, meet) * 100000 + counter;
    case 2: return requeue(count);
    case 3: return across_processes(number);
    case 4: return answers(number);
    default: return end_of_process(count, kind - 5, number % 90 + 1);
    }
}
