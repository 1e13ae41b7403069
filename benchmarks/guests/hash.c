/* Arithmetic in registers only: xorshift, an FNV-like product, a rotation and a bitwise CRC step. */
#include "start.h"

u64 work(u64 n) {
    u64 x = 88172645463325252UL, h = 0;
    u32 crc = ~0u;
    for (u64 r = n * 1000000; r; r--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        h = (h ^ x) * 0x100000001b3UL;
        h = h << 23 | h >> 41;
        crc = crc >> 1 ^ (-(crc & 1) & 0xEDB88320u) ^ (u32)h;
    }
    return h ^ crc;
}
