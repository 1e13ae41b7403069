/* Linux's system calls without a C library, for riscv64 and x86-64: the two builds of player.c. */
#include <asm/unistd.h>

typedef unsigned long word;
typedef unsigned char byte;
#define NORETURN __attribute__((noreturn))

#if defined(__riscv)
static inline __attribute__((always_inline)) long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long a7 __asm__("a7") = number, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d, a4 __asm__("a4") = e, a5 __asm__("a5") = f;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
    return a0;
}
#define CLONE(flags, stack, parent_tid, child_tid, tls) SYS(clone, flags, stack, parent_tid, tls, child_tid)
struct action { void *handler; word flags; word mask; };
#define SET_RESTORER(action)
__asm__(".globl _start\n_start: .option push\n.option norelax\nla gp, __global_pointer$\n.option pop\nmv a0, sp\ncall start\n");
__asm__("thread: addi a1, a1, -16\nsd a2, 0(a1)\nsd a3, 8(a1)\nmv a2, a4\nli a3, 0\nli a7, 220\necall\nbnez a0, 1f\n"
        "ld t0, 0(sp)\nld a0, 8(sp)\njalr t0\nli a0, 0\nli a7, 93\necall\n1: ret\n");
#elif defined(__x86_64__)
static inline __attribute__((always_inline)) long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return number;
}
#define CLONE(flags, stack, parent_tid, child_tid, tls) SYS(clone, flags, stack, parent_tid, child_tid, tls)
struct action { void *handler; word flags; void *restorer; word mask; };
void restorer(void);
#define SET_RESTORER(action) ((action).flags |= 0x04000000, (action).restorer = restorer)
__asm__("restorer: mov $15, %eax\nsyscall\n");
__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall start\n");
__asm__("thread: sub $16, %rsi\nmov %rdx, (%rsi)\nmov %rcx, 8(%rsi)\nmov %r8, %rdx\nmov %r8, %r10\nxor %r8d, %r8d\n"
        "mov $56, %eax\nsyscall\ntest %rax, %rax\njnz 1f\npop %rax\npop %rdi\nand $-16, %rsp\ncall *%rax\n"
        "xor %edi, %edi\nmov $60, %eax\nsyscall\n1: ret\n");
#else
#error "no such machine here"
#endif

/* A thread on a stack of its own that calls function(argument) and exits. `tid` gets its tid, and 0 when it has gone. */
long thread(word flags, void *top_of_stack, void (*function)(word), word argument, int *tid);

#define NARGS(a, b, c, d, e, f, ...) call(a, (long)(b), (long)(c), (long)(d), (long)(e), (long)(f), 0)
#define SYS(name, ...) NARGS(__NR_##name, ##__VA_ARGS__, 0, 0, 0, 0, 0)

struct siginfo { int signal, error, code, pad; int pid, uid; union { int status; word value; }; byte rest[96]; };
struct timespec { long seconds, nanoseconds; };

void *memcpy(void *to, const void *from, word size)
{
    for (word i = 0; i < size; i++) ((volatile byte *)to)[i] = ((const byte *)from)[i];
    return to;
}

void *memset(void *to, int value, word size)
{
    for (word i = 0; i < size; i++) ((volatile byte *)to)[i] = value;
    return to;
}
