/* In the manner of CoreMark, with other code: linked-list search and sort, a small matrix, a state machine, and a CRC
 * of what they give. */
#include "start.h"
#define ITEMS 64
#define SIDE 16
typedef struct item {
    struct item *next;
    u16 key, index;
} item;
static item items[ITEMS];
static short left[SIDE][SIDE], right[SIDE][SIDE];
static s32 product[SIDE][SIDE];
static const char numbers[] = "5012,-1234,+874,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,0x12,T0.3e-1F,1e1,";

static NOINLINE u16 crc16(u16 value, u16 crc) {
    for (int i = 0; i < 16; i++, value >>= 1) crc = (u16)((crc >> 1) ^ (((crc ^ value) & 1) ? 0xA001 : 0));
    return crc;
}

static NOINLINE item *insert_sorted(item *list, item *one) {
    item **place = &list;
    while (*place && (*place)->key < one->key) place = &(*place)->next;
    one->next = *place;
    *place = one;
    return list;
}

static NOINLINE u16 lists(u16 seed) {
    item *list = 0;
    u16 crc = 0;
    for (u16 i = 0; i < ITEMS; i++) {
        items[i].key = (u16)(seed = (u16)(seed * 25173 + 13849)) >> 4;
        items[i].index = i;
        list = insert_sorted(list, &items[i]);
    }
    for (u16 wanted = 0; wanted < ITEMS; wanted += 5)
        for (item *p = list; p; p = p->next)
            if (p->index == wanted) crc = crc16(p->key, crc);
    return crc;
}

static NOINLINE u16 matrices(u16 seed) {
    u16 crc = 0;
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) left[i][j] = (short)(seed + i * j), right[i][j] = (short)(seed ^ (i + j));
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            s32 sum = 0;
            for (int k = 0; k < SIDE; k++) sum += left[i][k] * right[k][j];
            product[i][j] = sum;
        }
    for (int i = 0; i < SIDE; i++) crc = crc16((u16)product[i][SIDE - 1 - i], crc);
    return crc;
}

enum { START, SIGN, WHOLE, POINT, FRACTION, EXPONENT, BAD, STATES };

static NOINLINE u16 states(u16 seed) {
    u32 count[STATES] = {0};
    int state = START;
    u16 crc = 0;
    for (const char *p = numbers; *p; p++) {
        char c = (char)(*p ^ ((seed & 63) == 7));
        int digit = c >= '0' && c <= '9';
        if (c == ',') {
            count[state]++;
            state = START;
            continue;
        }
        switch (state) {
        case START: state = digit ? WHOLE : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : BAD; break;
        case SIGN: state = digit ? WHOLE : c == '.' ? POINT : BAD; break;
        case WHOLE: state = digit ? WHOLE : c == '.' ? FRACTION : c == 'e' ? EXPONENT : BAD; break;
        case POINT: state = digit ? FRACTION : BAD; break;
        case FRACTION: state = digit ? FRACTION : c == 'e' ? EXPONENT : BAD; break;
        case EXPONENT: state = digit || c == '+' || c == '-' ? EXPONENT : BAD; break;
        default: break;
        }
    }
    for (int i = 0; i < STATES; i++) crc = crc16((u16)count[i], crc);
    return crc;
}

u64 work(u64 n) {
    u64 sum = 0;
    for (u64 r = 0; r < n * 100; r++) {
        u16 seed = (u16)r;
        sum = sum * 31 + (u64)(lists(seed) ^ matrices(seed) ^ states(seed));
    }
    return sum;
}
