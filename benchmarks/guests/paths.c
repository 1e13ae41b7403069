/* Dijkstra's shortest paths with a binary heap, on a random graph: 64K nodes, 8 edges each. */
#include "start.h"
#define N 65536
#define DEGREE 8
static u32 to[N][DEGREE], cost[N][DEGREE], distance[N];
static u64 heap[N * DEGREE + 1];
static u64 size;

static NOINLINE void push(u64 item) {
    u64 at = ++size;
    while (at > 1 && heap[at / 2] > item) {
        heap[at] = heap[at / 2];
        at /= 2;
    }
    heap[at] = item;
}

static NOINLINE u64 pop(void) {
    u64 top = heap[1], item = heap[size--], at = 1;
    while (2 * at <= size) {
        u64 child = 2 * at;
        if (child < size && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= item) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
    return top;
}

static NOINLINE u64 search(u32 from) {
    u64 sum = 0;
    for (u32 i = 0; i < N; i++) distance[i] = ~0u;
    size = 0;
    distance[from] = 0;
    push(from);
    while (size) {
        u64 item = pop();
        u32 here = (u32)item, far = (u32)(item >> 32);
        if (far > distance[here]) continue;
        sum += far;
        for (int e = 0; e < DEGREE; e++) {
            u32 next = to[here][e], total = far + cost[here][e];
            if (total < distance[next]) {
                distance[next] = total;
                push((u64)total << 32 | next);
            }
        }
    }
    return sum;
}

u64 work(u64 n) {
    u64 seed = 3, sum = 0;
    for (u32 i = 0; i < N; i++)
        for (int e = 0; e < DEGREE; e++) {
            to[i][e] = (u32)next_random(&seed) % N;
            cost[i][e] = (u32)next_random(&seed) % 1000 + 1;
        }
    for (u64 r = 0; r < n; r++) sum = sum * 31 + search((u32)(r * 977 % N));
    return sum;
}
