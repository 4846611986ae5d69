// Slab caches (Bonwick, 1994): objects of one size in slabs cut from frames, kept constructed while they are free.
#pragma once
#include "cpu/spinlock.h"
#include "lib/list.h"
#include "types.h"

struct slab_cache {
    const char *name;
    u32 size;       // of an object, rounded up to its alignment
    u32 per_slab;   // objects in a slab
    u8 order;       // a slab is 2^order frames
    u32 colors;     // how many 64-byte steps the first object may be moved by
    u32 next_color; // for the next slab: so that objects at equal places of two slabs lie in different cache lines
    void (*constructor)(void *object); // runs once, when a slab is made
    struct list partial, full, empty;
    struct list all; // in the list of all caches
    u32 empty_slabs;
    u64 slabs, in_use, allocations;
    struct spinlock lock;
};

void slab_init(void);
void slab_cache_init(struct slab_cache *cache, const char *name, u32 size, u32 alignment, void (*constructor)(void *));
/** NULL when memory is out. */
void *slab_allocate(struct slab_cache *cache);
void slab_free(struct slab_cache *cache, void *object);
/** Gives empty slabs back to the frame allocator; answers how many frames. */
u64 slab_shrink(struct slab_cache *cache);
/** NULL, or the rule that is broken. */
const char *slab_check(struct slab_cache *cache);
void slab_print(void);

/** Up to 2048 bytes from one of the caches kmalloc-32 .. kmalloc-2048, more in whole frames; at most 4 MiB. Not zeroed. */
void *kmalloc(u64 size);
/** The same, zeroed. */
void *kzalloc(u64 size);
void kfree(void *pointer);
