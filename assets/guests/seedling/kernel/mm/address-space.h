// A process's address space: page tables, and regions that say what should be there when a page is touched for the first
// time.
#pragma once
#include "cpu/spinlock.h"
#include "lib/list.h"
#include "types.h"

#define REGION_WRITE 1
#define REGION_EXECUTE 2
#define REGION_GUARD 4 // never mapped: touching it is an error with a name

struct region {
    struct list node; // sorted by address
    u64 start, end;   // page-aligned, end excluded
    u32 flags;
    const char *name;
    const u8 *source; // what the first source_size bytes look like at first; the rest is zeros
    u64 source_size;
};

/** A program file in memory, kept as long as an address space has regions from it. */
struct image { u8 *bytes; u64 size; u32 users; bool owned; };

struct address_space {
    u64 pml4;
    struct list regions;
    struct spinlock lock;
    u32 users; // threads
    struct image *image;
    u64 heap_end;
    u64 resident, faults, copies; // pages present; pages filled on demand; copies made on write
};

struct address_space *space_create(void);
/** A copy that shares all pages, copied when either side writes. */
struct address_space *space_fork(struct address_space *space);
void space_share(struct address_space *space);
void space_release(struct address_space *space);
/** Nothing may be there yet. False: overlap, no memory, or not in the user's half. */
bool space_add_region(struct address_space *space, struct region region);
/** Unmaps pages and cuts regions. */
void space_unmap(struct address_space *space, u64 start, u64 end);
/** An unused range of that size, 0: none. */
u64 space_find_gap(struct address_space *space, u64 size);
struct region *space_region(struct address_space *space, u64 address);
/** Whether [start, start + size) is all in regions that allow this. */
bool space_allows(struct address_space *space, u64 start, u64 size, bool write);
/** Loads CR3 for a space, or for the kernel alone (NULL). Interrupts are off. */
void switch_space(struct address_space *space);
/** Makes a page present. False: it may not be, or there is no memory. The space is locked. */
bool space_fill(struct address_space *space, struct region *region, u64 address);
void space_print(struct address_space *space);
void space_init(void);
