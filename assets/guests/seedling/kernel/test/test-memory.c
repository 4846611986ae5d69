// Tests of the allocators, each against a model: the simplest thing that does the same.
#include "boot-line.h"
#include "cpu/cpu.h"
#include "lib/printf.h"
#include "lib/rbtree.h"
#include "lib/string.h"
#include "mm/address-space.h"
#include "mm/frames.h"
#include "mm/paging.h"
#include "mm/slab.h"
#include "test/selftest.h"

const char *test_strings(char *remark, size_t size) {
    char text[32];
    u64 value;
    (void)remark, (void)size;
    format(text, sizeof text, "%5d|%-4s|%04x|%llu", -12, "ab", 0xBEu, ~0ull);
    if (strcmp(text, "  -12|ab  |00be|184467440737095")) return "format (and its end at the buffer's end)";
    if (format(text, 4, "%s", "abcdef") != 6 || strcmp(text, "abc")) return "format into too small a buffer";
    if (!parse_number("0x1F", &value) || value != 31 || !parse_number("2k", &value) || value != 2000) return "parse_number";
    if (parse_number("12z", &value) || parse_number("", &value) || parse_number("99999999999999999999", &value)) return "parse_number takes nonsense";
    copy_string(text, "abcdefgh", sizeof text);
    memmove(text + 2, text, 6);
    if (strncmp(text, "ababcdef", 8)) return "memmove of what overlaps";
    return NULL;
}

struct item { struct rb_node node; u64 key; bool in; };
static bool less(const struct rb_node *a, const struct rb_node *b) { return CONTAINER_OF(a, struct item, node)->key < CONTAINER_OF(b, struct item, node)->key; }

const char *test_rbtree(char *remark, size_t size) {
    enum { ITEMS = 512 };
    struct item *items = kzalloc(ITEMS * sizeof *items);
    struct rb_tree tree = {NULL, less};
    struct random random = {boot_options.seed};
    u64 operations = MIN(boot_options.operations, 100000), in = 0;
    const char *wrong = items ? NULL : "no memory";
    for (u64 i = 0; i < operations && !wrong; i++) {
        struct item *item = &items[random_below(&random, ITEMS)];
        if (item->in) rb_remove(&tree, &item->node);
        else {
            item->key = random_below(&random, 100); // many are equal
            rb_insert(&tree, &item->node);
        }
        in += item->in ? -1 : 1;
        item->in = !item->in;
        if (i % 256 && i + 1 != operations) continue;
        wrong = rb_check(&tree);
        u64 count = 0, last = 0;
        for (struct rb_node *node = rb_first(&tree); node && !wrong; node = rb_next(node), count++) {
            u64 key = CONTAINER_OF(node, struct item, node)->key;
            if (key < last) wrong = "rb_next is not in order";
            last = key;
        }
        if (!wrong && count != in) wrong = "rb_next does not reach all nodes";
    }
    kfree(items);
    format(remark, size, "%llu operations", operations);
    return wrong;
}

// ---- frame allocators. The model is a byte for each frame: whose block it belongs to.

enum { FRAMES = 2048, BLOCKS = 400 };

struct trial {
    s64 (*allocate)(void *allocator, unsigned order);
    bool (*free)(void *allocator, u64 first, unsigned order);
    const char *(*check)(void *allocator); // every so often
    u64 (*free_frames)(void *allocator);
    void *allocator;
};

static const char *try_allocator(struct trial *t) {
    u16 *owner = kzalloc(FRAMES * sizeof *owner); // 0: free, else block + 1
    struct { u32 first; u8 order; bool used; } *blocks = kzalloc(BLOCKS * sizeof *blocks);
    struct random random = {boot_options.seed + 77};
    const char *wrong = owner && blocks ? NULL : "no memory";
    u64 free = FRAMES;
    for (u64 i = 0; i < boot_options.operations && !wrong; i++) {
        u64 b = random_below(&random, BLOCKS);
        if (blocks[b].used) {
            for (u64 j = 0; j < 1ull << blocks[b].order; j++) owner[blocks[b].first + j] = 0;
            free += 1ull << blocks[b].order;
            blocks[b].used = false;
            if (!t->free(t->allocator, blocks[b].first, blocks[b].order)) wrong = "a block that is used cannot be freed";
            else if (random_below(&random, 64) == 0 && t->free(t->allocator, blocks[b].first, blocks[b].order)) wrong = "a block can be freed twice";
        } else {
            unsigned order = 0; // small ones are frequent, one in 1024 is a whole 4 MiB
            for (u64 r = random_next(&random); order < 10 && r & 1; r >>= 1) order++;
            s64 first = t->allocate(t->allocator, order);
            if (first < 0) {
                // There must be no place: no aligned run that is free in the model.
                for (u64 at = 0; at < FRAMES && !wrong; at += 1ull << order) {
                    bool room = true;
                    for (u64 j = 0; j < 1ull << order && room; j++) room = !owner[at + j];
                    if (room) wrong = "a block is refused although there is room";
                }
                continue;
            }
            if ((u64)first + (1ull << order) > FRAMES) wrong = "a block reaches behind the end";
            else if ((u64)first % (1ull << order)) wrong = "a block is not aligned to its size";
            for (u64 j = 0; j < 1ull << order && !wrong; j++) {
                if (owner[(u64)first + j]) wrong = "a frame is given out twice";
                owner[(u64)first + j] = (u16)(b + 1);
            }
            blocks[b].first = (u32)first;
            blocks[b].order = (u8)order;
            blocks[b].used = true;
            free -= 1ull << order;
        }
        if (!wrong && t->free_frames(t->allocator) != free) wrong = "the count of free frames is wrong";
        if (!wrong && i % 1024 == 0) wrong = t->check(t->allocator);
    }
    for (u64 b = 0; b < BLOCKS && !wrong; b++)
        if (blocks[b].used && !t->free(t->allocator, blocks[b].first, blocks[b].order)) wrong = "a block that is used cannot be freed";
    if (!wrong && t->free_frames(t->allocator) != FRAMES) wrong = "frames have leaked";
    if (!wrong) wrong = t->check(t->allocator);
    kfree(owner);
    kfree(blocks);
    return wrong;
}

static s64 bitmap_take(void *b, unsigned order) { return bitmap_allocate(b, order); }
static bool bitmap_give(void *b, u64 first, unsigned order) { return bitmap_free(b, first, order); }
static u64 bitmap_count(void *b) { return ((struct bitmap *)b)->free; }
static const char *bitmap_agrees(void *allocator) {
    struct bitmap *b = allocator;
    u64 free = 0;
    for (u64 i = 0; i < b->count; i++) free += !bitmap_is_used(b, i);
    return free == b->free ? NULL : "its bits do not add up";
}

const char *test_bitmap(char *remark, size_t size) {
    struct bitmap bitmap;
    u64 *bits = kmalloc(FRAMES / 8);
    if (!bits) return "no memory";
    bitmap_init(&bitmap, bits, FRAMES);
    for (u64 i = 0; i < FRAMES; i++) bitmap_free(&bitmap, i, 0);
    struct trial trial = {bitmap_take, bitmap_give, bitmap_agrees, bitmap_count, &bitmap};
    const char *wrong = try_allocator(&trial);
    if (!wrong && bitmap_largest(&bitmap) != 10) wrong = "not in one piece again at the end";
    format(remark, size, "%llu operations, %llu words scanned", boot_options.operations, bitmap.scanned);
    kfree(bits);
    return wrong;
}

static s64 buddy_take(void *b, unsigned order) { return buddy_allocate(b, order); }
static bool buddy_give(void *b, u64 first, unsigned order) { return buddy_free(b, first, order); }
static u64 buddy_count(void *b) { return ((struct buddy *)b)->free; }
static const char *buddy_agrees(void *b) { return buddy_check(b); }

const char *test_buddy(char *remark, size_t size) {
    // The rule, on addresses: A xor (1 << (k + 12)).
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        for (u64 frame = 0; frame < FRAMES; frame += 1ull << order)
            if (buddy_of(frame, order) << PAGE_SHIFT != ((frame << PAGE_SHIFT) ^ (1ull << (order + 12)))) return "the buddy rule";
    struct buddy buddy;
    struct frame *table = kzalloc(FRAMES * sizeof *table);
    if (!table) return "no memory";
    for (u64 i = 0; i < FRAMES; i++) list_init(&table[i].node);
    buddy_init(&buddy, table, FRAMES);
    for (u64 i = 0; i < FRAMES; i++) buddy_free(&buddy, i, 0);
    const char *wrong = buddy.blocks[10] == FRAMES / 1024 ? NULL : "freeing frame by frame did not merge them into the largest blocks";
    // A block of order 0 splits ten times; its buddy at each level is what is left over.
    s64 first = buddy_allocate(&buddy, 0);
    for (unsigned order = 0; order < 10 && !wrong; order++)
        if (buddy.blocks[order] != 1 || CONTAINER_OF(buddy.lists[order].next, struct frame, node) != &table[buddy_of((u64)first, order)]) wrong = "a split did not leave the buddy";
    buddy_free(&buddy, (u64)first, 0);
    struct trial trial = {buddy_take, buddy_give, buddy_agrees, buddy_count, &buddy};
    if (!wrong) wrong = try_allocator(&trial);
    if (!wrong && buddy.blocks[10] != FRAMES / 1024) wrong = "not in one piece again at the end";
    format(remark, size, "%llu operations, %llu splits, %llu merges", boot_options.operations, buddy.splits, buddy.merges);
    kfree(table);
    return wrong;
}

// ---- slab caches

#define CONSTRUCTED 0xC0157207C0157207ull
static u64 constructed;
struct object { u64 mark, owner, filler[23]; }; // leaves room in a slab for two colours
static void construct(void *object) {
    ((struct object *)object)->mark = CONSTRUCTED;
    constructed++;
}

const char *test_slab(char *remark, size_t size) {
    enum { OBJECTS = 1024 };
    static struct slab_cache cache;
    u64 before = frames_free();
    struct object **held = kzalloc(OBJECTS * sizeof *held);
    if (!held) return "no memory";
    if (!cache.name) slab_cache_init(&cache, "selftest", sizeof(struct object), 16, construct);
    struct random random = {boot_options.seed + 5};
    const char *wrong = NULL;
    u64 in_use = 0;
    constructed = 0;
    for (u64 i = 0; i < boot_options.operations && !wrong; i++) {
        u64 n = random_below(&random, OBJECTS);
        if (held[n]) {
            if (held[n]->owner != n || held[n]->filler[3] != ~n) wrong = "an object was given to two";
            // Objects go back as they were constructed; that is the deal.
            slab_free(&cache, held[n]);
            held[n] = NULL;
            in_use--;
        } else {
            held[n] = slab_allocate(&cache);
            if (!held[n]) continue;
            if (held[n]->mark != CONSTRUCTED) wrong = "an object is not constructed";
            if ((u64)held[n] % 16) wrong = "an object is not aligned";
            held[n]->owner = n;
            held[n]->filler[3] = ~n;
            in_use++;
        }
        if (!wrong && cache.in_use != in_use) wrong = "the count of objects is wrong";
        if (!wrong && i % 4096 == 0) wrong = slab_check(&cache);
    }
    // Colouring: the first objects of slabs made one after the other lie at different places in their frames.
    u64 colors = 0;
    for (u64 n = 0; n < OBJECTS; n++)
        if (held[n]) colors |= 1ull << ((u64)held[n] % PAGE_SIZE % cache.size / 8);
    for (u64 n = 0; n < OBJECTS; n++)
        if (held[n]) slab_free(&cache, held[n]);
    if (!wrong) wrong = slab_check(&cache);
    if (!wrong && cache.in_use) wrong = "objects have leaked";
    if (!wrong && constructed < cache.slabs * cache.per_slab) wrong = "the constructor did not run for each object";
    if (!wrong && cache.colors > 1 && (colors & (colors - 1)) == 0) wrong = "the slabs are not coloured";
    slab_shrink(&cache);
    if (!wrong && cache.slabs) wrong = "empty slabs cannot be given back";
    kfree(held);

    // kmalloc: each size in its own cache, beyond 2048 in frames.
    for (u64 bytes = 1; bytes <= 64 * KIB && !wrong; bytes = bytes * 3 / 2 + 1) {
        u8 *a = kmalloc(bytes), *b = kmalloc(bytes);
        if (!a || !b) wrong = "kmalloc gives nothing";
        else {
            memset(a, 1, bytes);
            memset(b, 2, bytes);
            if (a[0] != 1 || a[bytes - 1] != 1) wrong = "two blocks of kmalloc overlap";
        }
        kfree(a);
        kfree(b);
    }
    s64 lost = (s64)before - (s64)frames_free();
    if (!wrong && lost > 32) wrong = "frames have leaked";
    format(remark, size, "%llu operations, %llu constructed, %u colours", boot_options.operations, constructed, cache.colors);
    return wrong;
}

// ---- page tables

const char *test_paging(char *remark, size_t size) {
    u64 page_size, frame = frame_allocate_zeroed(FRAME_KERNEL), at = reserve_kernel_range(2 * PAGE_SIZE);
    if (!frame) return "no memory";
    u64 *entry = page_entry(kernel_pml4, DIRECT_MAP + MIB, &page_size);
    if (!entry || page_size != LARGE_PAGE || !(*entry & PAGE_LARGE)) return "the direct map is not made of 2 MiB pages";
    entry = page_entry(kernel_pml4, (u64)test_paging, &page_size);
    if (!entry || page_size != PAGE_SIZE || *entry & PAGE_WRITE || *entry & PAGE_NX) return "the kernel's code is not read-only and executable";
    entry = page_entry(kernel_pml4, (u64)&kernel_pml4, NULL);
    if (!entry || !(*entry & PAGE_WRITE) || (page_nx && !(*entry & PAGE_NX))) return "the kernel's data can be executed";
    if (!map_page(kernel_pml4, at, frame, PAGE_WRITE | page_nx)) return "a page cannot be mapped";
    *(volatile u64 *)at = 0x5EED;
    if (*(volatile u64 *)direct(frame) != 0x5EED) return "a mapped page is not its frame";
    entry = page_entry(kernel_pml4, at, NULL);
    if (!entry || (*entry & (PAGE_ACCESSED | PAGE_DIRTY)) != (PAGE_ACCESSED | PAGE_DIRTY)) return "accessed and dirty are not set by a write";
    *entry = 0;
    invlpg(at);
    if (is_mapped(at) || is_mapped(at + PAGE_SIZE)) return "an unmapped page is mapped";
    frame_free(frame, 0);
    if (is_mapped(0) || is_mapped(0x8000)) return "the lowest pages are mapped: a null pointer would work";
    format(remark, size, "NX %s, SMEP %s", page_nx ? "on" : "missing", read_cr4() & CR4_SMEP ? "on" : "missing");
    return NULL;
}

const char *test_copy_on_write(char *remark, size_t size) {
    u64 before = frames_free();
    struct address_space *a = space_create(), *b = NULL;
    if (!a) return "no memory";
    const u64 at = 0x10000000;
    const char *wrong = NULL;
    static const u8 content[] = "copied when written";
    struct region region = {.start = at, .end = at + 8 * PAGE_SIZE, .flags = REGION_WRITE, .name = "test", .source = content, .source_size = sizeof content};
    if (!space_add_region(a, region)) wrong = "a region cannot be added";
    if (!wrong && space_add_region(a, region)) wrong = "two regions may overlap";
    for (u64 i = 0; i < 8 && !wrong; i++)
        if (!space_fill(a, space_region(a, at), at + i * PAGE_SIZE)) wrong = "a page cannot be filled";
    if (!wrong && !(b = space_fork(a))) wrong = "no memory for a fork";
    if (!wrong) {
        u64 *mine = page_slot(a->pml4, at, false), *its = page_slot(b->pml4, at, false);
        if (*mine & PAGE_WRITE || *its & PAGE_WRITE) wrong = "a shared page can be written";
        else if ((*mine & PAGE_ADDRESS) != (*its & PAGE_ADDRESS) || frame_of(*mine & PAGE_ADDRESS)->references != 2) wrong = "the page is not shared";
        else if (memcmp(direct(*mine & PAGE_ADDRESS), content, sizeof content)) wrong = "the page has not the content it should";
    }
    if (!wrong) {
        space_unmap(b, at + PAGE_SIZE, at + 3 * PAGE_SIZE);
        if (space_region(b, at + PAGE_SIZE) || !space_region(b, at) || !space_region(b, at + 3 * PAGE_SIZE)) wrong = "unmapping does not cut a region in two";
        if (space_allows(b, at, 2 * PAGE_SIZE, false) || !space_allows(b, at + 3 * PAGE_SIZE, 5 * PAGE_SIZE, true)) wrong = "space_allows is wrong";
    }
    if (b) space_release(b);
    space_release(a);
    s64 lost = (s64)before - (s64)frames_free();
    if (!wrong && lost > 8) wrong = "frames have leaked"; // slabs may have grown
    format(remark, size, "%lld frames kept by slabs", (long long)lost);
    return wrong;
}
