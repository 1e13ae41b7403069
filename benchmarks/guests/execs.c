/* A storm of fork, exec and wait: 10 n times the file whose name the environment gives as SELF, as a child that ends
 * at once. */
#include "start.h"
#include "process.h"

static const char *path_in(char **environment) {
    for (; *environment; environment++) {
        char *e = *environment;
        if (e[0] == 'S' && e[1] == 'E' && e[2] == 'L' && e[3] == 'F' && e[4] == '=') return e + 5;
    }
    return "/bin/execs";
}

#ifndef __riscv
extern char **environ;
#endif

u64 work(u64 n) {
    u64 sum = 0;
    const char *path = path_in(environ);
    char *const arguments[] = {"execs", "0", 0};
    if (n == 0) return 0;
    for (u64 r = 0; r < n * 10; r++) {
        int status = 0;
        long child = fork();
        if (!child) {
            execve(path, arguments, environ);
            _exit(9);
        }
        waitpid(child, &status, 0);
        sum = sum * 31 + (u64)status;
    }
    return sum;
}
