/* A binary search tree of 256K nodes in random places of 16 MiB: insertions, then lookups. */
#include "start.h"
#define N (1 << 18)
typedef struct node {
    struct node *child[2];
    u64 key, count;
    u64 padding[4];
} node;
static node pool[N];
static u32 order[N];

static NOINLINE node *find(node **root, u64 key, node *fresh) {
    node **place = root;
    while (*place) {
        if ((*place)->key == key) return *place;
        place = &(*place)->child[key > (*place)->key];
    }
    if (fresh) {
        fresh->key = key;
        fresh->child[0] = fresh->child[1] = 0;
        *place = fresh;
    }
    return fresh;
}

u64 work(u64 n) {
    u64 seed = 11, sum = 0;
    node *root = 0;
    for (u32 i = 0; i < N; i++) order[i] = i;
    for (u32 i = N - 1; i; i--) {
        u32 j = (u32)(next_random(&seed) % (i + 1)), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    for (u32 i = 0; i < 1 << 16; i++) find(&root, next_random(&seed) & 0xfffff, &pool[order[i]])->count++;
    for (u64 r = 0; r < n * 10000; r++) {
        node *found = find(&root, next_random(&seed) & 0xfffff, 0);
        if (found) sum += ++found->count;
    }
    return sum;
}
