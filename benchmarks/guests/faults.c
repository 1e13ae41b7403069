/* Page faults: a parent and its child both write to 256 pages that fork made them share, n times: 512 faults each. */
#include "start.h"
#include "process.h"
#define PAGES 256
static u8 pages[PAGES][4096];

static NOINLINE void touch(u8 value) {
    for (int i = 0; i < PAGES; i++) pages[i][i] = value;
}

u64 work(u64 n) {
    u64 sum = 0;
    touch(1);
    while (n--) {
        long child = fork();
        if (!child) {
            touch((u8)n);
            _exit(0);
        }
        touch(2);
        waitpid(child, 0, 0);
        sum += pages[n % PAGES][n % PAGES];
    }
    return sum;
}
