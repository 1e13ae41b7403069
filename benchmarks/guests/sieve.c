/* The sieve of Eratosthenes over 4 MiB: strided byte stores. */
#include "start.h"
#define N (4 << 20)
static u8 prime[N];

static NOINLINE u64 sieve(void) {
    u64 count = 0;
    for (u64 i = 0; i < N; i++) prime[i] = 1;
    for (u64 i = 2; i * i < N; i++)
        if (prime[i])
            for (u64 j = i * i; j < N; j += i) prime[j] = 0;
    for (u64 i = 2; i < N; i++) count += prime[i];
    return count;
}

u64 work(u64 n) {
    u64 sum = 0;
    while (n--) sum = sum * 31 + sieve();
    return sum;
}
