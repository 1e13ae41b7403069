/* Merge sort of a linked list, once in order of memory and once scattered: pointer chasing over 1 MiB. */
#include "start.h"
#define N 65536
typedef struct node {
    struct node *next;
    u64 key;
} node;
static node pool[N];

static NOINLINE node *merge(node *a, node *b) {
    node head, *tail = &head;
    while (a && b) {
        node **least = a->key <= b->key ? &a : &b;
        tail->next = *least;
        tail = *least;
        *least = tail->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static NOINLINE node *sort(node *list, u64 count) {
    if (count == 1) {
        list->next = 0;
        return list;
    }
    node *middle = list;
    for (u64 i = 0; i < count / 2; i++) middle = middle->next;
    node *b = sort(middle, count - count / 2);
    return merge(sort(list, count / 2), b);
}

u64 work(u64 n) {
    u64 seed = 1, sum = 0;
    while (n--) {
        for (u64 i = 0; i < N; i++) {
            pool[i].key = next_random(&seed);
            pool[i].next = i + 1 < N ? &pool[i + 1] : 0;
        }
        node *list = sort(pool, N);
        for (node *p = list; p; p = p->next) p->key = p->key * 0x9E3779B97F4A7C15UL >> 13;
        list = sort(list, N);
        for (node *p = list; p; p = p->next) sum = sum * 31 + p->key;
    }
    return sum;
}
