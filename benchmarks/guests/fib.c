/* Plain recursion, written in assembly so that no compiler unrolls it: calls, returns and the stack. */
#include "start.h"
u64 fib(u64);
#ifdef __riscv
__asm__(".text\n.globl fib\nfib:\n"
        "li t0, 2\nbltu a0, t0, 1f\naddi sp, sp, -32\nsd ra, 24(sp)\nsd s0, 16(sp)\nsd s1, 8(sp)\n"
        "mv s0, a0\naddi a0, a0, -1\ncall fib\nmv s1, a0\naddi a0, s0, -2\ncall fib\nadd a0, a0, s1\n"
        "ld ra, 24(sp)\nld s0, 16(sp)\nld s1, 8(sp)\naddi sp, sp, 32\n1: ret\n");
#else
__asm__(".text\n.globl fib\nfib:\n"
        "mov %rdi, %rax\ncmp $2, %rdi\njb 1f\npush %rbx\npush %rbp\nsub $8, %rsp\nmov %rdi, %rbx\n"
        "lea -1(%rdi), %rdi\ncall fib\nmov %rax, %rbp\nlea -2(%rbx), %rdi\ncall fib\nadd %rbp, %rax\n"
        "add $8, %rsp\npop %rbp\npop %rbx\n1: ret\n");
#endif

u64 work(u64 n) {
    u64 sum = 0;
    for (u64 r = 0; r < n; r++) sum = sum * 31 + fib(24 + (r & 1));
    return sum;
}
