#include "mm/slab.h"
#include "dev/debug-port.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "panic.h"

#define COLOR_STEP 64   // a cache line
#define USED 0xFFFF     // in links[]: the object is given out
#define LAST 0xFFFE
#define KEEP_EMPTY 1    // slabs; the others are given back
#define MIN_PER_SLAB 8

/** At the start of its first frame; the links follow, then (coloured) the objects. Keeping the free list outside of the
 * objects is what lets them stay constructed. */
struct slab {
    struct list node;
    struct slab_cache *cache;
    u8 *objects;
    u16 free, in_use;
    u16 links[]; // the next free object
};

LIST(slab_caches); // the workstation's lens starts here
static struct spinlock caches_lock = SPINLOCK("slab caches");
static struct slab_cache kmalloc_caches[7];

static u32 header_size(u32 objects) { return (u32)ALIGN_UP(sizeof(struct slab) + objects * sizeof(u16), 16); }

void slab_cache_init(struct slab_cache *c, const char *name, u32 size, u32 alignment, void (*constructor)(void *)) {
    *c = (struct slab_cache){.name = name, .size = (u32)ALIGN_UP(MAX(size, 8), MAX(alignment, 8)), .constructor = constructor,
                             .lock = SPINLOCK(name)};
    list_init(&c->partial);
    list_init(&c->full);
    list_init(&c->empty);
    u32 bytes;
    for (;; c->order++) {
        bytes = (u32)PAGE_SIZE << c->order;
        c->per_slab = (bytes - sizeof(struct slab)) / (c->size + (u32)sizeof(u16));
        while (c->per_slab && ALIGN_UP(header_size(c->per_slab), MAX(alignment, 8)) + c->per_slab * c->size > bytes) c->per_slab--;
        if (c->per_slab >= MIN_PER_SLAB || c->order == 3) break;
    }
    c->colors = (bytes - header_size(c->per_slab) - c->per_slab * c->size) / COLOR_STEP + 1;
    u64 flags = spin_lock(&caches_lock);
    list_append(&slab_caches, &c->all);
    spin_unlock(&caches_lock, flags);
    debug_port_name_pool(POOL_SLAB_FIRST + (u32)((u64)c >> 4 & 0xFFFF), name);
}

static u32 pool_of(struct slab_cache *c) { return POOL_SLAB_FIRST + (u32)((u64)c >> 4 & 0xFFFF); }

static struct slab *make_slab(struct slab_cache *c) {
    u64 address = frame_allocate(c->order, FRAME_SLAB);
    if (!address) return NULL;
    // kfree finds the slab from any of its frames by the order that each of them carries.
    for (u64 i = 0; i < 1ull << c->order; i++) frame_of(address)[i].order = c->order;
    struct slab *slab = direct(address);
    u32 color = c->next_color;
    c->next_color = (c->next_color + 1) % c->colors;
    *slab = (struct slab){.cache = c, .objects = (u8 *)slab + header_size(c->per_slab) + color * COLOR_STEP};
    for (u32 i = 0; i < c->per_slab; i++) {
        slab->links[i] = (u16)(i + 1 < c->per_slab ? i + 1 : LAST);
        if (c->constructor) c->constructor(slab->objects + i * c->size);
    }
    c->slabs++;
    return slab;
}

void *slab_allocate(struct slab_cache *c) {
    u64 flags = spin_lock(&c->lock);
    struct slab *slab;
    if (!list_empty(&c->partial)) slab = CONTAINER_OF(c->partial.next, struct slab, node);
    else if (!list_empty(&c->empty)) {
        slab = CONTAINER_OF(list_pop(&c->empty), struct slab, node);
        c->empty_slabs--;
        list_append(&c->partial, &slab->node);
    } else {
        slab = make_slab(c);
        if (!slab) {
            spin_unlock(&c->lock, flags);
            return NULL;
        }
        list_append(&c->partial, &slab->node);
    }
    u16 index = slab->free;
    slab->free = slab->links[index];
    slab->links[index] = USED;
    if (++slab->in_use == c->per_slab) {
        list_remove(&slab->node);
        list_append(&c->full, &slab->node);
    }
    c->in_use++;
    c->allocations++;
    void *object = slab->objects + index * c->size;
    spin_unlock(&c->lock, flags);
    debug_port_allocate(pool_of(c), (u64)object, c->size, (u64)__builtin_return_address(0));
    return object;
}

/** The slab an object lies in: its frames are aligned to the slab's size. */
static struct slab *slab_of(void *object) {
    struct frame *frame = frame_of(physical_of(object));
    return (struct slab *)((u64)object & ~((PAGE_SIZE << frame->order) - 1));
}

static void give_back(struct slab_cache *c, struct slab *slab) {
    c->slabs--;
    frame_free(physical_of(slab), c->order);
}

void slab_free(struct slab_cache *c, void *object) {
    struct slab *slab = slab_of(object);
    if (slab->cache != c) panic("slab_free: %p is not of cache %s", object, c->name);
    debug_port_free(pool_of(c), (u64)object, c->size, (u64)__builtin_return_address(0));
    u64 flags = spin_lock(&c->lock);
    u64 offset = (u64)((u8 *)object - slab->objects), index = offset / c->size;
    if (offset % c->size || index >= c->per_slab || slab->links[index] != USED) {
        spin_unlock(&c->lock, flags);
        if (offset % c->size || index >= c->per_slab) report_bug("%p is freed into cache %s but is no object of it", object, c->name);
        else report_bug("double free: %p of cache %s is free already", object, c->name);
        return;
    }
    slab->links[index] = slab->free;
    slab->free = (u16)index;
    c->in_use--;
    if (slab->in_use-- == c->per_slab) {
        list_remove(&slab->node);
        list_append(&c->partial, &slab->node);
    }
    struct slab *extra = NULL;
    if (slab->in_use == 0) {
        list_remove(&slab->node);
        if (c->empty_slabs >= KEEP_EMPTY) extra = slab;
        else {
            list_append(&c->empty, &slab->node);
            c->empty_slabs++;
        }
    }
    if (extra) give_back(c, extra);
    spin_unlock(&c->lock, flags);
}

u64 slab_shrink(struct slab_cache *c) {
    u64 flags = spin_lock(&c->lock), freed = 0;
    while (!list_empty(&c->empty)) {
        give_back(c, CONTAINER_OF(list_pop(&c->empty), struct slab, node));
        c->empty_slabs--;
        freed += 1ull << c->order;
    }
    spin_unlock(&c->lock, flags);
    return freed;
}

static const char *check_list(struct slab_cache *c, struct list *list, u64 *in_use, u64 *slabs, u32 least, u32 most) {
    LIST_EACH(node, list) {
        struct slab *slab = CONTAINER_OF(node, struct slab, node);
        if (slab->cache != c) return "a slab belongs to another cache";
        if (slab->in_use < least || slab->in_use > most) return "a slab is in the wrong list";
        u32 free = 0;
        for (u16 i = slab->free; i != LAST; i = slab->links[i])
            if (i >= c->per_slab || ++free > c->per_slab) return "a free list is broken";
        if (free + slab->in_use != c->per_slab) return "free and used objects do not add up";
        *in_use += slab->in_use;
        ++*slabs;
    }
    return NULL;
}

const char *slab_check(struct slab_cache *c) {
    u64 flags = spin_lock(&c->lock), in_use = 0, slabs = 0;
    const char *wrong = check_list(c, &c->partial, &in_use, &slabs, 1, c->per_slab - 1);
    if (!wrong) wrong = check_list(c, &c->full, &in_use, &slabs, c->per_slab, c->per_slab);
    if (!wrong) wrong = check_list(c, &c->empty, &in_use, &slabs, 0, 0);
    if (!wrong && (in_use != c->in_use || slabs != c->slabs)) wrong = "the lists do not add up to the counts";
    spin_unlock(&c->lock, flags);
    return wrong;
}

void slab_init(void) {
    static const char *names[] = {"kmalloc-32", "kmalloc-64", "kmalloc-128", "kmalloc-256", "kmalloc-512", "kmalloc-1024", "kmalloc-2048"};
    for (unsigned i = 0; i < COUNT_OF(kmalloc_caches); i++) slab_cache_init(&kmalloc_caches[i], names[i], 32u << i, 16, NULL);
}

void slab_print(void) {
    printf("%-16s %6s %9s %6s %6s %8s %12s %7s\n", "cache", "size", "per slab", "order", "slabs", "in use", "allocations", "colours");
    LIST_EACH(node, &slab_caches) {
        struct slab_cache *c = CONTAINER_OF(node, struct slab_cache, all);
        printf("%-16s %6u %9u %6u %6llu %8llu %12llu %7u\n", c->name, c->size, c->per_slab, c->order, c->slabs, c->in_use, c->allocations, c->colors);
    }
}

void *kmalloc(u64 size) {
    for (unsigned i = 0; i < COUNT_OF(kmalloc_caches); i++)
        if (size <= 32u << i) return slab_allocate(&kmalloc_caches[i]);
    unsigned order = 0;
    while (PAGE_SIZE << order < size) order++;
    if (order >= BUDDY_ORDERS) return NULL;
    u64 address = frame_allocate(order, FRAME_LARGE);
    return address ? direct(address) : NULL;
}

void *kzalloc(u64 size) {
    void *memory = kmalloc(size);
    if (memory) memset(memory, 0, size);
    return memory;
}

void kfree(void *pointer) {
    if (!pointer) return;
    struct frame *frame = frame_of(physical_of(pointer));
    if (frame->use == FRAME_SLAB) slab_free(slab_of(pointer)->cache, pointer);
    else if (frame->use == FRAME_LARGE) frame_free(physical_of(pointer), frame->order);
    else report_bug("kfree(%p): that memory is not kmalloc's (%s)", pointer, frame_use_name(frame->use));
}
