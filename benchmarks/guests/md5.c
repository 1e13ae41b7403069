/* A compression function of MD5's shape, its 64 steps unrolled: a thousand instructions in a straight line. */
#include "start.h"
static u32 block[16];
#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define STEP(f, a, b, c, d, k, s, t) \
    a += f(b, c, d) + block[k] + t##u; \
    a = ROL(a, s) + b;
#define F(x, y, z) (((x) & (y)) | (~(x) & (z)))
#define G(x, y, z) (((x) & (z)) | ((y) & ~(z)))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))
#define FOUR(f, k0, k1, k2, k3, s0, s1, s2, s3, t) \
    STEP(f, a, b, c, d, k0, s0, 0xd76a##t##1) STEP(f, d, a, b, c, k1, s1, 0xe8c7##t##2) \
    STEP(f, c, d, a, b, k2, s2, 0x2420##t##3) STEP(f, b, c, d, a, k3, s3, 0xc1bd##t##4)

static NOINLINE void compress(u32 *h) {
    u32 a = h[0], b = h[1], c = h[2], d = h[3];
    FOUR(F, 0, 1, 2, 3, 7, 12, 17, 22, a01) FOUR(F, 4, 5, 6, 7, 7, 12, 17, 22, b12)
    FOUR(F, 8, 9, 10, 11, 7, 12, 17, 22, c23) FOUR(F, 12, 13, 14, 15, 7, 12, 17, 22, d34)
    FOUR(G, 1, 6, 11, 0, 5, 9, 14, 20, e45) FOUR(G, 5, 10, 15, 4, 5, 9, 14, 20, f56)
    FOUR(G, 9, 14, 3, 8, 5, 9, 14, 20, 167) FOUR(G, 13, 2, 7, 12, 5, 9, 14, 20, 278)
    FOUR(H, 5, 8, 11, 14, 4, 11, 16, 23, 389) FOUR(H, 1, 4, 7, 10, 4, 11, 16, 23, 49a)
    FOUR(H, 13, 0, 3, 6, 4, 11, 16, 23, 5ab) FOUR(H, 9, 12, 15, 2, 4, 11, 16, 23, 6bc)
    FOUR(I, 0, 7, 14, 5, 6, 10, 15, 21, 7cd) FOUR(I, 12, 3, 10, 1, 6, 10, 15, 21, 8de)
    FOUR(I, 8, 15, 6, 13, 6, 10, 15, 21, 9ef) FOUR(I, 4, 11, 2, 9, 6, 10, 15, 21, af0)
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
}

u64 work(u64 n) {
    u32 h[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    for (u64 r = 0; r < n * 10000; r++) {
        block[r & 15] ^= h[0] + (u32)r;
        compress(h);
    }
    return ((u64)h[0] << 32 | h[1]) ^ ((u64)h[2] << 20) ^ h[3];
}
