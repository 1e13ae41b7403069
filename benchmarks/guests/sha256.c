/* SHA-256 (FIPS 180-4) of 64 KiB, again and again. */
#include "start.h"
#define SIZE 65536
static u8 message[SIZE];
static u32 constant[64], schedule[64];
#define ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))

static NOINLINE void compress(u32 *h, const u8 *block) {
    u32 s[8];
    for (int i = 0; i < 16; i++)
        schedule[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        u32 x = schedule[i - 15], y = schedule[i - 2];
        schedule[i] = schedule[i - 16] + (ROR(x, 7) ^ ROR(x, 18) ^ x >> 3) + schedule[i - 7] +
                      (ROR(y, 17) ^ ROR(y, 19) ^ y >> 10);
    }
    for (int i = 0; i < 8; i++) s[i] = h[i];
    for (int i = 0; i < 64; i++) {
        u32 one = ROR(s[4], 6) ^ ROR(s[4], 11) ^ ROR(s[4], 25), choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        u32 t1 = s[7] + one + choice + constant[i] + schedule[i];
        u32 zero = ROR(s[0], 2) ^ ROR(s[0], 13) ^ ROR(s[0], 22);
        u32 t2 = zero + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6];
        s[6] = s[5];
        s[5] = s[4];
        s[4] = s[3] + t1;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = s[0];
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += s[i];
}

u64 work(u64 n) {
    u64 seed = 17, sum = 0;
    for (int i = 0; i < 64; i++) constant[i] = (u32)next_random(&seed);
    for (int i = 0; i < SIZE; i++) message[i] = (u8)next_random(&seed);
    while (n--) {
        u32 h[8] = {1, 2, 3, 4, 5, 6, 7, 8};
        for (int at = 0; at < SIZE; at += 64) compress(h, message + at);
        message[n % SIZE]++;
        for (int i = 0; i < 8; i++) sum = sum * 31 + h[i];
    }
    return sum;
}
