// The buddy allocator: free blocks of 2^order frames in a list per order. The buddy of the block at address A of order k
// is at A xor (1 << (k + 12)), or, counted in frames, at n xor (1 << k): two buddies that are both free become one block
// of the next order, and a block that is too large is split into two buddies.
#pragma once
#include "lib/list.h"
#include "types.h"
#define BUDDY_ORDERS 11 // 0 .. 10: 4 KiB .. 4 MiB

struct frame;
struct buddy {
    struct frame *frames; // frames[0] is the first one it manages
    u64 count;
    u64 free;
    struct list lists[BUDDY_ORDERS];
    u64 blocks[BUDDY_ORDERS]; // how many are in each list
    u64 splits, merges;
};

static inline u64 buddy_of(u64 frame, unsigned order) { return frame ^ (1ull << order); }
/** All frames used. */
void buddy_init(struct buddy *buddy, struct frame *frames, u64 count);
s64 buddy_allocate(struct buddy *buddy, unsigned order);
/** False, and nothing done, when the block is free already. */
bool buddy_free(struct buddy *buddy, u64 first, unsigned order);
int buddy_largest(const struct buddy *buddy);
/** Walks all lists; NULL, or the rule that is broken. */
const char *buddy_check(const struct buddy *buddy);
