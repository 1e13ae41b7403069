/* A state machine of 4096 states over bytes: each step reads a table of 4 MiB at a place that the last step gave. */
#include "start.h"
#define STATES 4096
#define INPUT 65536
static u32 next_state[STATES][256];
static u8 input[INPUT];
static u32 seen[STATES];

static NOINLINE u32 scan(u32 state) {
    for (u32 i = 0; i < INPUT; i++) {
        state = next_state[state][input[i]];
        seen[state]++;
    }
    return state;
}

u64 work(u64 n) {
    u64 seed = 13, sum = 0;
    for (u32 s = 0; s < STATES; s++)
        for (u32 c = 0; c < 256; c++) next_state[s][c] = (u32)next_random(&seed) % STATES;
    for (u32 i = 0; i < INPUT; i++) input[i] = (u8)next_random(&seed);
    u32 state = 0;
    while (n--) state = scan(state);
    for (u32 s = 0; s < STATES; s++) sum = sum * 31 + seen[s];
    return sum + state;
}
