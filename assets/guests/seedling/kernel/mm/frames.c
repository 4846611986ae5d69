#include "mm/frames.h"
#include "boot-info.h"
#include "boot-line.h"
#include "cpu/spinlock.h"
#include "dev/debug-port.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "panic.h"
#include "symbols.h"
#include "task/task.h"

#define POISON 0xFEEDFACEDEADF4A3ull

extern char __image_end[]; // physical; a symbol whose address is the value

// The workstation's lens reads these by name.
struct frame *frames;
u64 frame_count;
struct bitmap frame_bitmap;
struct buddy frame_buddy;
bool frames_poison;

static struct spinlock lock = SPINLOCK("frames");
static bool ready;
bool use_bitmap, use_buddy; // which of the two is in charge
static u64 total;     // frames of RAM that ever were free
static u64 early_next; // next address the early allocator gives out
static u64 high;      // end of RAM
static u64 uses[FRAME_USES], allocations, failures;

u64 memory_end(void) { return high; }
u64 frames_free(void) { return use_bitmap ? frame_bitmap.free : frame_buddy.free; }
u64 frames_total(void) { return total; }
const char *frames_allocator_name(void) { return use_bitmap ? "bitmap" : "buddy"; }
struct frame *frame_of(u64 address) { return &frames[address >> PAGE_SHIFT]; }

const char *frame_use_name(unsigned use) {
    static const char *names[] = {"reserved", "free", "kernel", "page table", "stack", "slab", "large", "user"};
    return use < COUNT_OF(names) ? names[use] : "?";
}

/** The kernel and the initrd are in memory that the map calls usable. Where a reserved thing at `address` ends, or 0. */
static u64 taken_until(u64 address) {
    if (address < MIB) return MIB; // BIOS data, the boot record, the starter of the other CPUs: not worth the trouble
    if (address < (u64)__image_end) return ALIGN_UP((u64)__image_end, PAGE_SIZE);
    if (boot_info.initrd_size && address + PAGE_SIZE > boot_info.initrd && address < boot_info.initrd + boot_info.initrd_size)
        return ALIGN_UP(boot_info.initrd + boot_info.initrd_size, PAGE_SIZE);
    return 0;
}

void frames_init_early(void) {
    for (unsigned i = 0; i < boot_info.map_count; i++) {
        struct memory_range *r = &boot_info.map[i];
        if (r->type == MEMORY_USABLE && r->start + r->size > r->start) high = MAX(high, r->start + r->size);
    }
    // What the direct map's one page-directory-pointer table can reach.
    if (high > 512 * GIB) high = 512 * GIB;
    high = ALIGN_DOWN(high, PAGE_SIZE);
    early_next = MIB;
}

/** Frames before there is an allocator, upwards from the kernel's end; never given back. Zeroed. */
static u64 early_allocate(u64 size) {
    size = ALIGN_UP(size, PAGE_SIZE);
    for (u64 at = early_next; at + size <= high;) {
        u64 next = 0;
        for (u64 page = at; page < at + size && !next; page += PAGE_SIZE) {
            next = taken_until(page);
            bool usable = false;
            for (unsigned i = 0; i < boot_info.map_count && !next; i++) {
                struct memory_range *r = &boot_info.map[i];
                if (page >= r->start && page + PAGE_SIZE <= r->start + r->size) {
                    if (r->type == MEMORY_USABLE) usable = true;
                    else next = page + PAGE_SIZE;
                }
            }
            if (!usable && !next) next = page + PAGE_SIZE;
        }
        if (next) {
            at = next;
            continue;
        }
        early_next = at + size;
        memset(direct(at), 0, size);
        return at;
    }
    panic("not enough memory to start: %llu KiB more are needed", size / KIB);
}

void frames_init(void) {
    use_bitmap = !strcmp(boot_options.frames, "bitmap");
    use_buddy = !use_bitmap;
    frame_count = ALIGN_UP(high >> PAGE_SHIFT, 64);
    frames = direct(early_allocate(frame_count * sizeof(struct frame)));
    // Both are prepared: an idle bitmap costs a bit per frame.
    bitmap_init(&frame_bitmap, direct(early_allocate(frame_count / 8)), frame_count);
    buddy_init(&frame_buddy, frames, frame_count);
    frames_poison = false;
    // All usable frames but those already taken, and those that another entry of the map calls something else.
    for (unsigned i = 0; i < boot_info.map_count; i++) {
        struct memory_range *r = &boot_info.map[i];
        if (r->type != MEMORY_USABLE) continue;
        u64 end = MIN(ALIGN_DOWN(r->start + r->size, PAGE_SIZE), high);
        for (u64 at = ALIGN_UP(r->start, PAGE_SIZE); at < end; at += PAGE_SIZE) {
            if (at < early_next || taken_until(at) || frame_of(at)->use == FRAME_FREE) continue;
            bool usable = true;
            for (unsigned j = 0; j < boot_info.map_count; j++) {
                struct memory_range *other = &boot_info.map[j];
                if (other->type != MEMORY_USABLE && at + PAGE_SIZE > other->start && at < other->start + other->size) usable = false;
            }
            if (!usable) continue;
            frame_of(at)->use = FRAME_FREE;
            if (use_bitmap) bitmap_free(&frame_bitmap, at >> PAGE_SHIFT, 0);
            else buddy_free(&frame_buddy, at >> PAGE_SHIFT, 0);
            total++;
        }
    }
    uses[FRAME_FREE] = total;
    frames_poison = boot_options.poison;
    ready = true;
}

static u32 caller_of(void *address) { return (u32)((u64)address - KERNEL_BASE); }

NOINLINE u64 frame_allocate(unsigned order, enum frame_use use) {
    if (!ready) return early_allocate(PAGE_SIZE << order);
    u64 flags = spin_lock(&lock);
    s64 first = use_bitmap ? bitmap_allocate(&frame_bitmap, order) : buddy_allocate(&frame_buddy, order);
    if (first < 0) {
        failures++;
        spin_unlock(&lock, flags);
        return 0;
    }
    allocations++;
    struct task *task = current_task();
    for (u64 i = 0; i < 1ull << order; i++) {
        struct frame *frame = &frames[(u64)first + i];
        if (frame->use != FRAME_FREE) panic("the %s allocator gave out frame %llx, which is in use (%s)", frames_allocator_name(), (u64)first + i, frame_use_name(frame->use));
        frame->use = (u8)use;
        frame->references = 1;
        frame->caller = caller_of(__builtin_return_address(0));
        frame->pid = task ? (u32)task->pid : 0;
    }
    frames[first].order = (u8)order;
    uses[FRAME_FREE] -= 1ull << order;
    uses[use] += 1ull << order;
    spin_unlock(&lock, flags);
    u64 address = (u64)first << PAGE_SHIFT;
    debug_port_allocate(POOL_FRAMES, address, PAGE_SIZE << order, (u64)__builtin_return_address(0));
    if (frames_poison) {
        const u64 *words = direct(address);
        // Only what was poisoned when it was freed has the pattern in its last word; the rest was never used.
        for (u64 i = 0; i < (PAGE_SIZE << order) / 8; i++) {
            if (words[i | 511] != POISON && words[i & ~511ull] != POISON) i |= 511;
            else if (words[i] != POISON) {
                report_bug("use after free: frame %llx was written at offset %llxh (%llx) while it was free", (address >> PAGE_SHIFT) + i / 512, i % 512 * 8, words[i]);
                i |= 511;
            }
        }
    }
    return address;
}

u64 frame_allocate_zeroed(enum frame_use use) {
    u64 address = frame_allocate(0, use);
    if (address) memset(direct(address), 0, PAGE_SIZE);
    return address;
}

NOINLINE void frame_free(u64 address, unsigned order) {
    if (address % (PAGE_SIZE << order) || address >= high || address == 0) panic("frame_free: %llx is no frame of order %u", address, order);
    debug_port_free(POOL_FRAMES, address, PAGE_SIZE << order, (u64)__builtin_return_address(0));
    u64 flags = spin_lock(&lock);
    struct frame *frame = frame_of(address);
    u64 first = address >> PAGE_SHIFT;
    if (frame->use == FRAME_FREE || frame->use == FRAME_RESERVED) {
        u8 use = frame->use;
        u32 caller = frame->caller;
        spin_unlock(&lock, flags);
        if (use == FRAME_FREE) report_bug("double free: frame %llx is free already, since %s", first, symbol_text(KERNEL_BASE + caller));
        else report_bug("frame %llx was never allocated, and is freed", first);
        return;
    }
    uses[frame->use] -= 1ull << order;
    uses[FRAME_FREE] += 1ull << order;
    for (u64 i = 0; i < 1ull << order; i++) {
        frame[i].use = FRAME_FREE;
        frame[i].references = 0;
        frame[i].caller = caller_of(__builtin_return_address(0));
    }
    if (frames_poison)
        for (u64 i = 0; i < (PAGE_SIZE << order) / 8; i++) ((u64 *)direct(address))[i] = POISON;
    bool done = use_bitmap ? bitmap_free(&frame_bitmap, first, order) : buddy_free(&frame_buddy, first, order);
    if (!done) panic("the %s allocator says that frame %llx is free already", frames_allocator_name(), first);
    spin_unlock(&lock, flags);
}

void frame_share(u64 address) { __atomic_fetch_add(&frame_of(address)->references, 1, __ATOMIC_RELAXED); }
void frame_drop(u64 address) {
    if (__atomic_sub_fetch(&frame_of(address)->references, 1, __ATOMIC_ACQ_REL) == 0) {
        frame_of(address)->references = 1;
        frame_free(address, 0);
    }
}

const char *frames_check(void) {
    u64 flags = spin_lock(&lock);
    const char *wrong = use_bitmap ? NULL : buddy_check(&frame_buddy);
    u64 free = 0;
    for (u64 i = 0; i < frame_count; i++) {
        free += frames[i].use == FRAME_FREE;
        if (use_bitmap && (frames[i].use == FRAME_FREE) == bitmap_is_used(&frame_bitmap, i)) wrong = "a bit and its frame disagree";
    }
    if (free != frames_free()) wrong = "the frames that are free are not as many as the allocator counts";
    spin_unlock(&lock, flags);
    return wrong;
}

void frames_print(void) {
    u64 flags = spin_lock(&lock);
    int largest = use_bitmap ? bitmap_largest(&frame_bitmap) : buddy_largest(&frame_buddy);
    u64 blocks[BUDDY_ORDERS], copy[FRAME_USES], splits = frame_buddy.splits, merges = frame_buddy.merges;
    memcpy(blocks, frame_buddy.blocks, sizeof blocks);
    memcpy(copy, uses, sizeof copy);
    spin_unlock(&lock, flags);
    printf("allocator: %s, %llu of %llu frames free, largest block of order %d\n", frames_allocator_name(), copy[FRAME_FREE], total, largest);
    for (unsigned use = FRAME_FREE; use < FRAME_USES; use++)
        if (copy[use]) printf("  %-12s %8llu\n", frame_use_name(use), copy[use]);
    if (use_bitmap) printf("  %llu words scanned in %llu allocations, %llu failed\n", frame_bitmap.scanned, allocations, failures);
    else {
        printf("  order ");
        for (unsigned order = 0; order < BUDDY_ORDERS; order++) printf("%6u", order);
        printf("\n  free  ");
        for (unsigned order = 0; order < BUDDY_ORDERS; order++) printf("%6llu", blocks[order]);
        printf("\n  %llu allocations, %llu failed, %llu splits, %llu merges\n", allocations, failures, splits, merges);
    }
}

void memory_print(void) {
    for (unsigned i = 0; i < boot_info.map_count; i++) {
        struct memory_range *r = &boot_info.map[i];
        printf("  %012llx-%012llx %10llu KiB %s\n", r->start, r->start + r->size - 1, r->size / KIB, memory_type_name(r->type));
    }
    printf("kernel: %llu KiB at 1 MiB; initrd: %llu KiB at %llx\n", ((u64)__image_end - MIB) / KIB, boot_info.initrd_size / KIB, boot_info.initrd);
    printf("frames: %llu KiB free of %llu KiB (%s)\n", frames_free() * 4, total * 4, frames_allocator_name());
}
