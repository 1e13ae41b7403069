/* Fixed-point matrices of 256 x 256 (16.16): a column walk of 1 KiB strides, and a shift for each product. */
#include "start.h"
#define N 256
static s32 a[N][N], b[N][N], c[N][N];

static NOINLINE void multiply(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            s64 sum = 0;
            for (int k = 0; k < N; k++) sum += (s64)a[i][k] * b[k][j] >> 16;
            c[i][j] = (s32)sum;
        }
}

u64 work(u64 n) {
    u64 seed = 23, sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = (s32)next_random(&seed) >> 12, b[i][j] = (s32)next_random(&seed) >> 12;
    while (n--) {
        multiply();
        a[n % N][n * 7 % N] ^= c[n * 3 % N][n % N];
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum = sum * 31 + (u32)c[i][j];
    return sum;
}
