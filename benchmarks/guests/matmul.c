/* 128 x 128 integer matrices: one row walk, one column walk, a multiplication. */
#include "start.h"
#define N 128
static s32 a[N][N], b[N][N], c[N][N];

static NOINLINE void multiply(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            s32 sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

u64 work(u64 n) {
    u64 seed = 12345, sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (s32)next_random(&seed);
            b[i][j] = (s32)next_random(&seed);
        }
    for (u64 r = 0; r < n; r++) {
        multiply();
        a[r % N][r * 7 % N] ^= c[r * 3 % N][r % N];
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum = sum * 31 + (u32)c[i][j];
    return sum;
}
