#include "mm/bitmap.h"
#include "lib/string.h"

void bitmap_init(struct bitmap *b, u64 *bits, u64 count) {
    *b = (struct bitmap){.bits = bits, .count = count};
    memset(bits, 0xFF, count / 8);
}

/** The bits of 2^order frames within their word, for order <= 6. */
static u64 mask(u64 first, unsigned order) {
    return (order == 6 ? ~0ull : (1ull << (1u << order)) - 1) << (first % 64);
}

s64 bitmap_allocate(struct bitmap *b, unsigned order) {
    if (b->free >> order == 0) return -1;
    u64 words = b->count / 64, run = order > 6 ? 1ull << (order - 6) : 1;
    // Single frames continue where the last search ended; larger blocks start at the bottom, where the small ones are
    // not. Starts are multiples of `run` words, so a block is aligned to its size.
    u64 start = order == 0 ? b->hint : 0;
    for (u64 i = 0; i < words; i += run) {
        u64 word = (start + i) % words;
        b->scanned++;
        if (order <= 6) {
            if (b->bits[word] == ~0ull) continue; // 64 used frames passed over at once
            for (unsigned bit = 0; bit < 64; bit += 1u << order) {
                if (b->bits[word] & mask(bit, order)) continue;
                b->bits[word] |= mask(bit, order);
                b->free -= 1ull << order;
                if (order == 0) b->hint = word;
                return (s64)(word * 64 + bit);
            }
        } else {
            if (word + run > words) continue;
            u64 used = 0;
            for (u64 j = 0; j < run && !used; j++) used = b->bits[word + j];
            if (used) continue;
            for (u64 j = 0; j < run; j++) b->bits[word + j] = ~0ull;
            b->free -= 1ull << order;
            return (s64)(word * 64);
        }
    }
    return -1;
}

bool bitmap_free(struct bitmap *b, u64 first, unsigned order) {
    if (order <= 6) {
        u64 bits = mask(first, order);
        if ((b->bits[first / 64] & bits) != bits) return false;
        b->bits[first / 64] &= ~bits;
    } else {
        u64 run = 1ull << (order - 6);
        for (u64 j = 0; j < run; j++)
            if (b->bits[first / 64 + j] != ~0ull) return false;
        for (u64 j = 0; j < run; j++) b->bits[first / 64 + j] = 0;
    }
    b->free += 1ull << order;
    return true;
}

int bitmap_largest(const struct bitmap *b) {
    for (int order = 10; order >= 0; order--)
        for (u64 first = 0; first + (1ull << order) <= b->count; first += 1ull << order) {
            bool free = true;
            if (order <= 6) free = !(b->bits[first / 64] & mask(first, (unsigned)order));
            else
                for (u64 j = 0; j < 1ull << (order - 6) && free; j++) free = b->bits[first / 64 + j] == 0;
            if (free) return order;
        }
    return -1;
}
