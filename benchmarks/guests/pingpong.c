/* Two processes hand a byte to and fro through two pipes, 100 n times. */
#include "start.h"
#include "process.h"

u64 work(u64 n) {
    int there[2], back[2];
    u8 byte = 1;
    pipe(there);
    pipe(back);
    long child = fork();
    if (!child) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1) {
            byte = (u8)(byte * 5 + 1);
            write(back[1], &byte, 1);
        }
        _exit(0);
    }
    for (u64 r = 0; r < n * 100; r++) {
        write(there[1], &byte, 1);
        read(back[0], &byte, 1);
    }
    close(there[1]);
    waitpid(child, 0, 0);
    return byte;
}
