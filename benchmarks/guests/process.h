/* The system calls of Linux that the process kernels make, by the same names on RISC-V and on the host. */
#ifdef __riscv
static inline long system_call4(long number, long a, long b, long c, long d) {
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a7) : "memory");
    return a0;
}

#define getpid() system_call(172, 0, 0, 0)
#define fork() system_call4(220, 17, 0, 0, 0)
#define waitpid(pid, status, flags) system_call4(260, pid, (long)(status), flags, 0)
#define _exit(status) system_call(93, status, 0, 0)
#define pipe(fds) system_call(59, (long)(fds), 0, 0)
#define read(fd, data, size) system_call(63, fd, (long)(data), size)
#define write(fd, data, size) system_call(64, fd, (long)(data), size)
#define close(fd) system_call(57, fd, 0, 0)
#define sched_yield() system_call(124, 0, 0, 0)
#define execve(path, arguments, environment) system_call(221, (long)(path), (long)(arguments), (long)(environment))
#else
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>
#endif
