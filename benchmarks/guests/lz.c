/* LZ77 with a hash of three bytes: compresses 256 KiB of text made of random words, and unpacks it again. */
#include "start.h"
#define SIZE (1 << 18)
static u8 text[SIZE + 8], packed[SIZE * 2], unpacked[SIZE + 300];
static u32 last[1 << 14];

static NOINLINE u64 pack(void) {
    u64 out = 0, at = 0;
    while (at < SIZE) {
        u32 three = text[at] | (u32)text[at + 1] << 8 | (u32)text[at + 2] << 16;
        u32 slot = three * 2654435761u >> 18;
        u64 before = last[slot], length = 0;
        last[slot] = (u32)at;
        if (before < at && at - before < 65536)
            while (length < 255 && at + length < SIZE && text[before + length] == text[at + length]) length++;
        if (length > 3) {
            packed[out++] = (u8)length;
            packed[out++] = (u8)(at - before);
            packed[out++] = (u8)((at - before) >> 8);
            at += length;
        } else {
            packed[out++] = 0;
            packed[out++] = text[at++];
        }
    }
    return out;
}

static NOINLINE u64 unpack(u64 size) {
    u64 out = 0, at = 0;
    while (at < size) {
        u64 length = packed[at++];
        if (!length) {
            unpacked[out++] = packed[at++];
            continue;
        }
        u64 back = packed[at] | (u64)packed[at + 1] << 8;
        at += 2;
        for (; length--; out++) unpacked[out] = unpacked[out - back];
    }
    return out;
}

u64 work(u64 n) {
    u64 seed = 5, sum = 0;
    for (u64 at = 0; at < SIZE;) {
        u64 word = next_random(&seed) % 997;
        for (u64 i = 0; i <= word % 7 + 2 && at < SIZE; i++) text[at++] = (u8)('a' + (word * (i + 3) * 31 >> 2) % 26);
        if (at < SIZE) text[at++] = ' ';
    }
    while (n--) {
        for (u32 i = 0; i < 1 << 14; i++) last[i] = ~0u;
        u64 size = pack();
        sum = sum * 31 + size + unpack(size);
        for (u64 i = 0; i < SIZE; i += 997) sum = sum * 31 + unpacked[i];
        text[seed % SIZE] ^= 1;
        next_random(&seed);
    }
    return sum;
}
