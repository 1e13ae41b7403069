/* Conway's life on a torus of 512 x 512 bytes: eight neighbours of each cell. */
#include "start.h"
#define N 512
static u8 world[2][N][N];

static NOINLINE void step(u8 from[N][N], u8 into[N][N]) {
    for (int y = 0; y < N; y++) {
        u8 *above = from[(y + N - 1) % N], *here = from[y], *below = from[(y + 1) % N];
        for (int x = 0; x < N; x++) {
            int left = (x + N - 1) % N, right = (x + 1) % N;
            int around = above[left] + above[x] + above[right] + here[left] + here[right] + below[left] + below[x] +
                         below[right];
            into[y][x] = around == 3 || (around == 2 && here[x]);
        }
    }
}

u64 work(u64 n) {
    u64 seed = 9, sum = 0;
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) world[0][y][x] = next_random(&seed) & 1;
    for (u64 r = 0; r < n; r++) step(world[r & 1], world[~r & 1]);
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) sum = sum * 31 + world[n & 1][y][x];
    return sum;
}
