/* All ways to place nine queens, with arrays of what is taken: recursion and small arrays. */
#include "start.h"
#define N 9
static u8 column[N], up[2 * N], down[2 * N];

static NOINLINE u64 place(int row) {
    u64 ways = 0;
    if (row == N) return 1;
    for (int c = 0; c < N; c++) {
        if (column[c] || up[row + c] || down[row - c + N]) continue;
        column[c] = up[row + c] = down[row - c + N] = 1;
        ways += place(row + 1);
        column[c] = up[row + c] = down[row - c + N] = 0;
    }
    return ways;
}

u64 work(u64 n) {
    u64 sum = 0;
    while (n--) sum = sum * 31 + place(0);
    return sum;
}
