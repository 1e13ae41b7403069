/* Open addressing over 32 MiB: every access on another page. */
#include "start.h"
#define SLOTS (1UL << 22)
static u64 slot[SLOTS];

static NOINLINE u64 put(u64 key) {
    u64 at = (key * 0x9E3779B97F4A7C15UL) >> 42, tries = 1;
    while (slot[at] && slot[at] != key) {
        at = (at + 1) & (SLOTS - 1);
        tries++;
    }
    slot[at] = key;
    return tries;
}

u64 work(u64 n) {
    u64 seed = 7, tries = 0;
    for (u64 r = 0; r < n * 100000; r++) tries += put((next_random(&seed) & 0x1fffff) + 1);
    return tries;
}
