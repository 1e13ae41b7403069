/* An interpreter of a small register machine, running Collatz sequences: a jump table and dependent loads. */
#include "start.h"
enum { ADD, SUB, MUL, AND, OR, XOR, SHR, SHL, LI, MOV, JNZ, JMP, LT, LD, ST, HALT, MOD, DIV };
typedef struct {
    u8 op, a, b, c;
} code;
static u64 memory[256];

static NOINLINE u64 run(const code *program, u64 n) {
    u64 r[16] = {0}, pc = 0;
    r[1] = n;
    for (;;) {
        code i = program[pc++];
        switch (i.op) {
        case ADD: r[i.a] = r[i.b] + r[i.c]; break;
        case SUB: r[i.a] = r[i.b] - r[i.c]; break;
        case MUL: r[i.a] = r[i.b] * r[i.c]; break;
        case AND: r[i.a] = r[i.b] & r[i.c]; break;
        case OR: r[i.a] = r[i.b] | r[i.c]; break;
        case XOR: r[i.a] = r[i.b] ^ r[i.c]; break;
        case SHR: r[i.a] = r[i.b] >> (r[i.c] & 63); break;
        case SHL: r[i.a] = r[i.b] << (r[i.c] & 63); break;
        case LI: r[i.a] = (u64)(i.b << 8 | i.c); break;
        case MOV: r[i.a] = r[i.b]; break;
        case JNZ: if (r[i.a]) pc = (u64)(i.b << 8 | i.c); break;
        case JMP: pc = (u64)(i.b << 8 | i.c); break;
        case LT: r[i.a] = r[i.b] < r[i.c]; break;
        case LD: r[i.a] = memory[r[i.b] & 255]; break;
        case ST: memory[r[i.b] & 255] = r[i.a]; break;
        case MOD: r[i.a] = r[i.b] % r[i.c]; break;
        case DIV: r[i.a] = r[i.b] / r[i.c]; break;
        case HALT: return r[i.a];
        }
    }
}

/* r1 counts down from n, r2 is x, r3 counts steps, r7 mixes the values */
static const code collatz[] = {
    {LI, 5, 0, 1}, {LI, 6, 0, 3}, {LI, 3, 0, 0}, {LI, 7, 0, 0},
    /* 4 */ {MOV, 2, 1, 0},
    /* 5 */ {SUB, 4, 2, 5}, {JNZ, 4, 0, 9}, {JMP, 0, 0, 18}, {JMP, 0, 0, 18},
    /* 9 */ {ADD, 3, 3, 5}, {AND, 4, 2, 5}, {JNZ, 4, 0, 14}, {SHR, 2, 2, 5}, {JMP, 0, 0, 5},
    /* 14 */ {MUL, 2, 2, 6}, {ADD, 2, 2, 5}, {XOR, 7, 7, 2}, {JMP, 0, 0, 5},
    /* 18 */ {LD, 4, 1, 0}, {ADD, 4, 4, 3}, {ST, 4, 1, 0}, {SUB, 1, 1, 5}, {JNZ, 1, 0, 4}, {XOR, 3, 3, 7}, {HALT, 3, 0, 0},
};

u64 work(u64 n) {
    u64 sum = 0;
    for (u64 r = 0; r < n; r++) sum = sum * 31 + run(collatz, 3000 + r % 10);
    return sum;
}
