/* Multiplication of big integers, limb by limb: 512 limbs of 32 bits, as Fibonacci-like products. */
#include "start.h"
#define LIMBS 512
static u32 x[LIMBS], y[LIMBS], product[2 * LIMBS];

static NOINLINE void multiply(void) {
    for (int i = 0; i < 2 * LIMBS; i++) product[i] = 0;
    for (int i = 0; i < LIMBS; i++) {
        u64 carry = 0;
        for (int j = 0; j < LIMBS; j++) {
            u64 t = (u64)x[i] * y[j] + product[i + j] + carry;
            product[i + j] = (u32)t;
            carry = t >> 32;
        }
        product[i + LIMBS] = (u32)carry;
    }
}

u64 work(u64 n) {
    u64 seed = 19, sum = 0;
    for (int i = 0; i < LIMBS; i++) x[i] = (u32)next_random(&seed), y[i] = (u32)next_random(&seed);
    while (n--) {
        multiply();
        for (int i = 0; i < LIMBS; i++) x[i] = y[i], y[i] = product[i + LIMBS / 2];
        sum = sum * 31 + product[n % (2 * LIMBS)];
    }
    return sum;
}
