/* The cheapest system call: 1000 n times. */
#include "start.h"
#include "process.h"

u64 work(u64 n) {
    u64 first = (u64)getpid(), same = 0;
    for (u64 r = 0; r < n * 1000; r++) same += (u64)getpid() == first;
    return same;
}
