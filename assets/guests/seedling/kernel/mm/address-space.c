#include "mm/address-space.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/paging.h"
#include "mm/shootdown.h"
#include "mm/slab.h"
#include "panic.h"

#define MMAP_BASE 0x0000100000000000ull

static struct slab_cache space_cache, region_cache;

void space_init(void) {
    slab_cache_init(&space_cache, "address_space", sizeof(struct address_space), 16, NULL);
    slab_cache_init(&region_cache, "region", sizeof(struct region), 16, NULL);
}

struct address_space *space_create(void) {
    struct address_space *space = slab_allocate(&space_cache);
    u64 pml4 = space ? frame_allocate_zeroed(FRAME_TABLE) : 0;
    if (!pml4) {
        if (space) slab_free(&space_cache, space);
        return NULL;
    }
    *space = (struct address_space){.pml4 = pml4, .lock = SPINLOCK("address space"), .users = 1};
    list_init(&space->regions);
    memcpy((u64 *)direct(pml4) + 256, (u64 *)direct(kernel_pml4) + 256, 256 * 8); // the kernel is in every space
    return space;
}

void space_share(struct address_space *space) { __atomic_fetch_add(&space->users, 1, __ATOMIC_RELAXED); }

void switch_space(struct address_space *space) {
    struct cpu *cpu = this_cpu();
    if (cpu->space == space) return;
    (void)__atomic_exchange_n(&cpu->space, space, __ATOMIC_SEQ_CST); // before CR3: from now on shootdowns include this CPU
    write_cr3(space ? space->pml4 : kernel_pml4);
}

/** Frees a table and all below it; at level 1 the pages themselves. */
static void free_tables(u64 table, unsigned level, unsigned entries) {
    u64 *entry = direct(table);
    for (unsigned i = 0; i < entries; i++) {
        if (!(entry[i] & PAGE_PRESENT)) continue;
        if (level == 1) frame_drop(entry[i] & PAGE_ADDRESS);
        else free_tables(entry[i] & PAGE_ADDRESS, level - 1, 512);
    }
    frame_free(table, 0);
}

void space_release(struct address_space *space) {
    if (__atomic_sub_fetch(&space->users, 1, __ATOMIC_ACQ_REL)) return;
    ASSERT(this_cpu()->space != space);
    free_tables(space->pml4, 4, 256);
    LIST_EACH_SAFE(node, &space->regions) slab_free(&region_cache, CONTAINER_OF(node, struct region, node));
    struct image *image = space->image;
    if (image && __atomic_sub_fetch(&image->users, 1, __ATOMIC_ACQ_REL) == 0) {
        if (image->owned) kfree(image->bytes);
        kfree(image);
    }
    slab_free(&space_cache, space);
}

struct region *space_region(struct address_space *space, u64 address) {
    LIST_EACH(node, &space->regions) {
        struct region *region = CONTAINER_OF(node, struct region, node);
        if (address < region->start) return NULL;
        if (address < region->end) return region;
    }
    return NULL;
}

bool space_add_region(struct address_space *space, struct region new) {
    if (new.start >= new.end || new.end > USER_TOP || new.start % PAGE_SIZE || new.end % PAGE_SIZE) return false;
    struct region *region = slab_allocate(&region_cache);
    if (!region) return false;
    *region = new;
    u64 flags = spin_lock(&space->lock);
    struct list *before = &space->regions;
    bool overlap = false;
    LIST_EACH(node, &space->regions) {
        struct region *other = CONTAINER_OF(node, struct region, node);
        if (other->start < new.end && new.start < other->end) overlap = true;
        if (other->start >= new.end) {
            before = node;
            break;
        }
    }
    if (!overlap) list_insert_before(&region->node, before);
    spin_unlock(&space->lock, flags);
    if (overlap) slab_free(&region_cache, region);
    return !overlap;
}

u64 space_find_gap(struct address_space *space, u64 size) {
    u64 flags = spin_lock(&space->lock), at = MMAP_BASE;
    LIST_EACH(node, &space->regions) {
        struct region *region = CONTAINER_OF(node, struct region, node);
        if (region->end <= at) continue;
        if (region->start >= at + size) break;
        at = region->end;
    }
    spin_unlock(&space->lock, flags);
    return at + size <= USER_TOP && size ? at : 0;
}

bool space_allows(struct address_space *space, u64 start, u64 size, bool write) {
    u64 end = start + size;
    if (!space || end < start || end > USER_TOP) return false;
    u64 flags = spin_lock(&space->lock);
    bool allowed = true;
    while (start < end && allowed) {
        struct region *region = space_region(space, start);
        allowed = region && !(region->flags & REGION_GUARD) && (!write || region->flags & REGION_WRITE);
        if (region) start = region->end;
    }
    spin_unlock(&space->lock, flags);
    return allowed;
}

bool space_fill(struct address_space *space, struct region *region, u64 address) {
    address = ALIGN_DOWN(address, PAGE_SIZE);
    u64 frame = frame_allocate_zeroed(FRAME_USER);
    if (!frame) return false;
    u64 offset = address - region->start;
    if (offset < region->source_size) memcpy(direct(frame), region->source + offset, MIN(PAGE_SIZE, region->source_size - offset));
    u64 flags = PAGE_USER | (region->flags & REGION_WRITE ? PAGE_WRITE : 0) | (region->flags & REGION_EXECUTE ? 0 : page_nx);
    if (!map_page(space->pml4, address, frame, flags)) {
        frame_free(frame, 0);
        return false;
    }
    space->resident++;
    space->faults++;
    return true;
}

/** Copies tables; pages are shared, and both sides' entries made read-only where writing would show. */
static bool fork_tables(u64 *from, u64 *to, unsigned level, unsigned entries) {
    for (unsigned i = 0; i < entries; i++) {
        if (!(from[i] & PAGE_PRESENT)) continue;
        if (level == 1) {
            if (from[i] & PAGE_WRITE) from[i] = (from[i] & ~PAGE_WRITE) | PAGE_COPY_ON_WRITE;
            to[i] = from[i] & ~(PAGE_ACCESSED | PAGE_DIRTY);
            frame_share(from[i] & PAGE_ADDRESS);
        } else {
            u64 table = frame_allocate_zeroed(FRAME_TABLE);
            if (!table) return false;
            to[i] = table | (from[i] & ~PAGE_ADDRESS);
            if (!fork_tables(direct(from[i] & PAGE_ADDRESS), direct(table), level - 1, 512)) return false;
        }
    }
    return true;
}

struct address_space *space_fork(struct address_space *parent) {
    struct address_space *child = space_create();
    if (!child) return NULL;
    u64 flags = spin_lock(&parent->lock);
    bool done = true;
    LIST_EACH(node, &parent->regions) {
        struct region *copy = slab_allocate(&region_cache);
        if (!copy) {
            done = false;
            break;
        }
        *copy = *CONTAINER_OF(node, struct region, node);
        list_append(&child->regions, &copy->node);
    }
    if (done) done = fork_tables(direct(parent->pml4), direct(child->pml4), 4, 256);
    child->image = parent->image;
    if (child->image) __atomic_fetch_add(&child->image->users, 1, __ATOMIC_RELAXED);
    child->heap_end = parent->heap_end;
    child->resident = parent->resident;
    spin_unlock(&parent->lock, flags);
    shootdown(parent, 0, ~0ull); // pages that were writable are not any more
    if (done) return child;
    space_release(child);
    return NULL;
}

void space_unmap(struct address_space *space, u64 start, u64 end) {
    u64 flags = spin_lock(&space->lock);
    LIST_EACH_SAFE(node, &space->regions) {
        struct region *region = CONTAINER_OF(node, struct region, node);
        if (region->end <= start || region->start >= end) continue;
        if (region->start < start && region->end > end) { // a hole in the middle: what is above becomes a region of its own
            struct region *above = slab_allocate(&region_cache);
            if (!above) break;
            *above = *region;
            u64 cut = MIN(end - region->start, region->source_size);
            above->start = end;
            above->source += cut;
            above->source_size -= cut;
            region->end = start;
            list_insert_before(&above->node, node->next);
            break;
        }
        if (region->start >= start && region->end <= end) {
            list_remove(node);
            slab_free(&region_cache, region);
        } else if (region->start < start) region->end = start;
        else {
            u64 cut = MIN(end - region->start, region->source_size);
            region->source += cut;
            region->source_size -= cut;
            region->start = end;
        }
    }
    // First all entries, then every TLB, and only then do the frames go back: in the time between, another thread could
    // still write to them.
    for (u64 at = start; at < end;) {
        u64 freed[64], count = 0, first = at;
        for (; at < end && count < COUNT_OF(freed); at += PAGE_SIZE) {
            u64 *slot = page_slot(space->pml4, at, false);
            if (!slot) at = ALIGN_DOWN(at, LARGE_PAGE) + LARGE_PAGE - PAGE_SIZE; // no table: nothing in these 2 MiB
            else if (*slot & PAGE_PRESENT) {
                freed[count++] = *slot & PAGE_ADDRESS;
                *slot = 0;
            }
        }
        if (count) shootdown(space, first, (at - first) / PAGE_SIZE);
        for (u64 i = 0; i < count; i++) frame_drop(freed[i]);
        space->resident -= count;
    }
    spin_unlock(&space->lock, flags);
}

void space_print(struct address_space *space) {
    u64 flags = spin_lock(&space->lock);
    printf("PML4 at %llx, %llu pages present, %llu filled on demand, %llu copied on write\n", space->pml4, space->resident, space->faults, space->copies);
    LIST_EACH(node, &space->regions) {
        struct region *r = CONTAINER_OF(node, struct region, node);
        u64 present = 0, shared = 0;
        for (u64 at = r->start; at < r->end; at += PAGE_SIZE) {
            u64 *slot = page_slot(space->pml4, at, false);
            if (!slot) at = ALIGN_DOWN(at, LARGE_PAGE) + LARGE_PAGE - PAGE_SIZE;
            else if (*slot & PAGE_PRESENT) {
                present++;
                shared += frame_of(*slot & PAGE_ADDRESS)->references > 1;
            }
        }
        printf("  %012llx-%012llx %c%c%c %-8s %5llu of %llu pages", r->start, r->end, r->flags & REGION_GUARD ? '-' : 'r',
               r->flags & REGION_WRITE ? 'w' : '-', r->flags & REGION_EXECUTE ? 'x' : '-', r->name, present, (r->end - r->start) / PAGE_SIZE);
        if (shared) printf(", %llu shared", shared);
        printf("\n");
    }
    spin_unlock(&space->lock, flags);
}
