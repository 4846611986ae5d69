// Physical memory in frames of 4 KiB: one `struct frame` for each, and one of two allocators behind one interface.
#pragma once
#include "lib/list.h"
#include "mm/bitmap.h"
#include "mm/buddy.h"
#include "types.h"

enum frame_use { FRAME_RESERVED, FRAME_FREE, FRAME_KERNEL, FRAME_TABLE, FRAME_STACK, FRAME_SLAB, FRAME_LARGE, FRAME_USER, FRAME_USES };

struct frame {
    struct list node; // in a list of the buddy allocator, while it is the first of a free block
    u32 references;   // how many page tables map it (copy on write shares frames)
    u32 caller;       // who allocated or freed it last: a return address, minus KERNEL_BASE
    u8 use;           // enum frame_use
    u8 order;         // of the block it is the first of
    bool free_head;   // first of a free block of the buddy allocator
    u8 reserved;
    u32 pid;          // on whose behalf
};
_Static_assert(sizeof(struct frame) == 32, "seedling.lens.json and README.md say 32 bytes a frame");

/** Finds memory in the map and prepares to give out frames from it, without giving any back. */
void frames_init_early(void);
/** From here on frames can be allocated and freed. Needs the direct map. */
void frames_init(void);

/** 2^order frames (0 .. 10), aligned to their size: a physical address, or 0 when there are none. */
u64 frame_allocate(unsigned order, enum frame_use use);
/** One frame, filled with zeros. */
u64 frame_allocate_zeroed(enum frame_use use);
void frame_free(u64 address, unsigned order);
/** One more, one fewer page table that maps it; the last one frees it. */
void frame_share(u64 address);
void frame_drop(u64 address);
struct frame *frame_of(u64 address);
u64 frames_free(void);
u64 frames_total(void);
/** First physical address that is not RAM. */
u64 memory_end(void);
const char *frames_allocator_name(void);
const char *frame_use_name(unsigned use);
void frames_print(void);
void memory_print(void);
/** NULL, or what is wrong. */
const char *frames_check(void);
extern bool frames_poison; // fill freed frames with a pattern and look at it when they are given out
