/* A hundred processes that give the processor away, 10 n times each. */
#include "start.h"
#include "process.h"
#define PROCESSES 100

u64 work(u64 n) {
    static long child[PROCESSES];
    u64 sum = 0;
    for (int i = 0; i < PROCESSES; i++) {
        child[i] = fork();
        if (child[i]) continue;
        for (u64 r = 0; r < n * 10; r++) sched_yield();
        _exit(i);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        waitpid(child[i], &status, 0);
        sum = sum * 31 + (u64)status;
    }
    return sum;
}
