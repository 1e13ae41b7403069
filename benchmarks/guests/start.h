/* What every guest kernel shares: fixed-width types, and a main that runs `work(n)` for the n on the command line and
 * prints its result. Freestanding on RISC-V (no libc: the same file runs here and under qemu), plain C on the host. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int s32;
typedef long s64;

#define NOINLINE __attribute__((noinline, noclone))

/* Does the kernel's work n times and gives a value that depends on all of it. */
u64 work(u64 n);

/* Knuth's MMIX generator: the same numbers everywhere. */
static inline u64 next_random(u64 *state) {
    *state = *state * 6364136223846793005UL + 1442695040888963407UL;
    return *state >> 16;
}

#ifdef __riscv
static inline long system_call(long number, long a, long b, long c) {
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

__attribute__((used)) void *memset(void *to, int value, u64 size) {
    u8 *p = to;
    while (size--) *p++ = (u8)value;
    return to;
}

__attribute__((used)) void *memcpy(void *to, const void *from, u64 size) {
    u8 *p = to;
    const u8 *q = from;
    while (size--) *p++ = *q++;
    return to;
}

static char **environ;

__attribute__((used, noreturn)) void begin(u64 *stack) {
    u64 n = 1;
#ifdef BOARD /* nobody gives arguments: the linker says */
    extern char rounds[];
    n = (u64)rounds;
#else
    environ = (char **)(stack + stack[0] + 2);
    if (stack[0] > 1) {
        n = 0;
        for (const char *p = (const char *)stack[2]; *p; p++) n = n * 10 + (u64)(*p - '0');
    }
#endif
    u64 result = work(n);
    char text[17];
    for (int i = 0; i < 16; i++) text[i] = "0123456789abcdef"[result >> (60 - 4 * i) & 15];
    text[16] = '\n';
    system_call(64, 1, (long)text, 17);
    system_call(93, 0, 0, 0);
    __builtin_unreachable();
}

__asm__(".globl _start\n_start:\n.option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
        "mv a0, sp\nandi sp, sp, -16\nj begin\n");
#else
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    u64 n = argc > 1 ? strtoul(argv[1], 0, 10) : 1;
    printf("%016lx\n", work(n));
    return 0;
}
#endif
