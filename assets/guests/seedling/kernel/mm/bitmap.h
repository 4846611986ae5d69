// The bitmap allocator: one bit per frame, 0 free, 1 used. 32 KiB describe a GiB.
#pragma once
#include "types.h"

struct bitmap {
    u64 *bits;
    u64 count; // frames; a multiple of 64
    u64 free;
    u64 hint; // where the last search for a single frame ended
    u64 scanned; // words looked at, all in all: what searching costs
};

/** All frames used; bits must hold count / 64 words. */
void bitmap_init(struct bitmap *bitmap, u64 *bits, u64 count);
/** 2^order frames in a row, aligned to their size; the first one's number or -1. */
s64 bitmap_allocate(struct bitmap *bitmap, unsigned order);
/** False, and nothing done, when one of them is free already. */
bool bitmap_free(struct bitmap *bitmap, u64 first, unsigned order);
static inline bool bitmap_is_used(const struct bitmap *b, u64 frame) { return b->bits[frame / 64] >> (frame % 64) & 1; }
/** Order of the largest block that bitmap_allocate could give, -1: none. */
int bitmap_largest(const struct bitmap *bitmap);
