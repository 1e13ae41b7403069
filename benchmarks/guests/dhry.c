/* In the manner of Dhrystone, with other code: records, strings, small calls and branches. */
#include "start.h"
typedef struct record {
    struct record *next;
    int kind, choice, number;
    char name[32];
} record;
static record first, second;
static record *head = &first;
static int global_number, table[64];
static char letter;

static NOINLINE void copy(char *to, const char *from) {
    while ((*to++ = *from++)) {}
}

static NOINLINE int compare(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a - *b;
}

static NOINLINE int classify(char a, char b) {
    char kept = a;
    if (kept != b) return 0;
    letter = kept;
    return 1;
}

static NOINLINE void add(int a, int b, int *result) { *result = a + 2 + b; }

static NOINLINE void update(record *r) {
    record *next = r->next;
    *next = *head;
    r->number = 5;
    next->number = r->number;
    next->next = r->next;
    if (next->kind == 0) {
        next->number = 6;
        next->choice = r->choice > 2 ? r->choice - 1 : r->choice + 1;
        next->next = head->next;
        add(next->number, 10, &next->number);
    } else
        *r = *next;
}

static NOINLINE void fill(int *place, int at, int value) {
    place[at + 5] = value;
    place[at + 6] = place[at + 5];
    for (int i = at + 5; i <= at + 6; i++) place[i + 20] = at + i;
    global_number = place[at + 4] + 1;
    place[at + 4] = global_number & 1023;
}

u64 work(u64 n) {
    char one[32], two[32];
    u64 sum = 0;
    first.next = &second;
    first.kind = 0;
    first.choice = 2;
    copy(first.name, "A RECORD WITH ITS OWN NAME");
    copy(one, "A STRING THAT IS THE FIRST ONE");
    for (u64 r = 0; r < n * 10000; r++) {
        int a = 2, b = 3, c;
        copy(two, "A STRING THAT IS THE OTHER ONE");
        int different = compare(one, two) < 0;
        while (a < b) {
            c = 5 * a - b;
            add(a, b, &c);
            a++;
        }
        fill(table, a, c + different);
        update(head);
        for (char ch = 'A'; ch <= 'C'; ch++)
            if (classify(ch, 'C')) c = (int)r;
        b = c * a;
        a = b / 7;
        sum = sum * 31 + (u64)(a + b + table[12] + second.number + letter);
    }
    return sum;
}
