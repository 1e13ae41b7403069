/* Calls system calls with random arguments, from several processes and threads at once, for as long as it is let.
argv[1]: where the random numbers begin. Whatever happens to it, the machine must go on to an end. */
#include "../differential/linux.h"

#define CALLS 400
#define WORKERS 6
#define RISKY_STACK 0x4000

static word seed;
static byte memory[4 * 4096] __attribute__((aligned(4096)));
static byte stacks[WORKERS][RISKY_STACK] __attribute__((aligned(16)));

static word next(word limit)
{
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return (seed >> 33) % limit;
}

static word argument(void)
{
    static const word some[] = {0, 1, 2, 3, 4, 17, 64, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff, 1ul << 38,
                                1ul << 62, 1ul << 63, -1ul, -4096ul, -100ul, 0x10000, 0x3fffffe000, 0x100000, 0x1000000};
    switch (next(6)) {
    case 0: return (word)memory + next(sizeof memory);
    case 1: return (word)memory + sizeof memory - next(16);
    case 2: return next(16);
    case 3: return (word)next(1ul << 31) << next(34);
    case 4: return -next(1000);
    default: return some[next(sizeof some / sizeof *some)];
    }
}

static void work(void)
{
    for (int i = 0; i < CALLS; i++) {
        word number = next(40) ? next(450) : argument();
        if (number == 93 || number == 94) continue;
        for (int n = 0; n < 8; n++) ((word *)memory)[next(sizeof memory / sizeof(word))] = argument();
        call(number, argument(), argument(), argument(), argument(), argument(), argument());
    }
}

NORETURN void start(word *stack)
{
    const char *digits = ((char **)(stack + 1))[1];
    while (*digits) seed = seed * 10 + (*digits++ - '0');
    for (int i = 0; i < WORKERS; i++) {
        word beginning = next(1ul << 30);
        word flags = i % 3 == 2 ? 0x50f00 : 17; /* every third is a thread */
        long child = CLONE(flags, flags == 17 ? 0 : stacks[i] + RISKY_STACK, 0, 0, 0);
        if (!child) {
            seed = beginning;
            work();
            for (;;) SYS(exit_group, 0);
        }
    }
    while (SYS(wait4, -1, 0, 0x40000000, 0) > 0) {}
    SYS(write, 1, "over\n", 5);
    for (;;) SYS(exit_group, 7);
}
