#include "mm/buddy.h"
#include "mm/frames.h"

void buddy_init(struct buddy *b, struct frame *frames, u64 count) {
    *b = (struct buddy){.frames = frames, .count = count};
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) list_init(&b->lists[order]);
    for (u64 i = 0; i < count; i++) frames[i].free_head = false;
}

static void put(struct buddy *b, u64 first, unsigned order) {
    struct frame *frame = &b->frames[first];
    frame->free_head = true;
    frame->order = (u8)order;
    list_prepend(&b->lists[order], &frame->node);
    b->blocks[order]++;
}

static void take(struct buddy *b, u64 first) {
    struct frame *frame = &b->frames[first];
    frame->free_head = false;
    list_remove(&frame->node);
    b->blocks[frame->order]--;
}

s64 buddy_allocate(struct buddy *b, unsigned order) {
    unsigned from = order;
    while (from < BUDDY_ORDERS && list_empty(&b->lists[from])) from++;
    if (from == BUDDY_ORDERS) return -1;
    u64 first = (u64)(CONTAINER_OF(b->lists[from].next, struct frame, node) - b->frames);
    take(b, first);
    while (from > order) { // keep the lower half, give the upper one back
        from--;
        put(b, buddy_of(first, from), from);
        b->splits++;
    }
    b->frames[first].order = (u8)order;
    b->free -= 1ull << order;
    return (s64)first;
}

/** Whether a frame lies in a free block: the block's head is at the frame's number with low bits cleared. */
static bool is_free(const struct buddy *b, u64 frame) {
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        u64 head = frame & ~((1ull << order) - 1);
        if (b->frames[head].free_head && b->frames[head].order >= order) return true;
    }
    return false;
}

bool buddy_free(struct buddy *b, u64 first, unsigned order) {
    if (is_free(b, first)) return false;
    b->free += 1ull << order;
    while (order + 1 < BUDDY_ORDERS) {
        u64 other = buddy_of(first, order);
        if (other >= b->count || !b->frames[other].free_head || b->frames[other].order != order) break;
        take(b, other);
        first = MIN(first, other);
        order++;
        b->merges++;
    }
    put(b, first, order);
    return true;
}

int buddy_largest(const struct buddy *b) {
    for (int order = BUDDY_ORDERS - 1; order >= 0; order--)
        if (!list_empty(&b->lists[order])) return order;
    return -1;
}

const char *buddy_check(const struct buddy *b) {
    u64 free = 0;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        u64 blocks = 0;
        LIST_EACH(node, &b->lists[order]) {
            const struct frame *frame = CONTAINER_OF(node, struct frame, node);
            u64 first = (u64)(frame - b->frames), other = buddy_of(first, order);
            if (!frame->free_head || frame->order != order) return "a block in a list is not marked free with that order";
            if (first % (1ull << order)) return "a block is not aligned to its size";
            if (order + 1 < BUDDY_ORDERS && other < b->count && b->frames[other].free_head && b->frames[other].order == order)
                return "two free buddies were not merged";
            free += 1ull << order;
            if (++blocks > b->blocks[order]) return "a list is longer than its count";
        }
        if (blocks != b->blocks[order]) return "a list is shorter than its count";
    }
    return free == b->free ? NULL : "the lists do not add up to the free frames";
}
