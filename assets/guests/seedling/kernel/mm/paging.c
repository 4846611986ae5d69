#include "mm/paging.h"
#include "boot-info.h"
#include "cpu/cpu.h"
#include "cpu/spinlock.h"
#include "lib/list.h"
#include "lib/printf.h"
#include "mm/frames.h"
#include "panic.h"

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[], __data_start[], __kernel_end[];

u64 kernel_pml4;
u64 page_nx;
static struct spinlock lock = SPINLOCK("kernel page tables");
static u64 dynamic_next = DYNAMIC_BASE;

static unsigned index_of(u64 address, unsigned level) { return address >> (12 + 9 * (level - 1)) & 511; }

u64 *page_entry(u64 pml4, u64 address, u64 *size) {
    u64 *table = direct(pml4);
    for (unsigned level = 4;; level--) {
        u64 *entry = &table[index_of(address, level)];
        if (!(*entry & PAGE_PRESENT)) return NULL;
        if (level == 1 || (level < 4 && *entry & PAGE_LARGE)) {
            if (size) *size = 1ull << (12 + 9 * (level - 1));
            return entry;
        }
        table = direct(*entry & PAGE_ADDRESS);
    }
}

/** The table of the next level below an entry. */
static u64 *descend(u64 *entry, bool make, u64 user) {
    if (!(*entry & PAGE_PRESENT)) {
        u64 table = make ? frame_allocate_zeroed(FRAME_TABLE) : 0;
        if (!table) return NULL;
        *entry = table | PAGE_PRESENT | PAGE_WRITE | user; // the last level alone says what is allowed
    }
    return direct(*entry & PAGE_ADDRESS);
}

u64 *page_slot(u64 pml4, u64 address, bool make) {
    u64 *table = direct(pml4);
    for (unsigned level = 4; level > 1; level--) {
        u64 *entry = &table[index_of(address, level)];
        if (*entry & PAGE_PRESENT && level < 4 && *entry & PAGE_LARGE) return NULL;
        table = descend(entry, make, address < USER_TOP ? PAGE_USER : 0);
        if (!table) return NULL;
    }
    return &table[index_of(address, 1)];
}

bool map_page(u64 pml4, u64 address, u64 physical, u64 flags) {
    u64 *slot = page_slot(pml4, address, true);
    if (!slot) return false;
    *slot = physical | flags | PAGE_PRESENT;
    return true;
}

bool is_mapped(u64 address) { return page_entry(read_cr3() & PAGE_ADDRESS, address, NULL) != NULL; }

static void map_kernel(char *from, char *to, u64 flags) {
    for (u64 at = (u64)from; at < (u64)to; at += PAGE_SIZE)
        if (!map_page(kernel_pml4, at, at - KERNEL_BASE, flags | PAGE_GLOBAL)) panic("no memory for the kernel's page tables");
}

/** Physical memory from `start` on, in 2 MiB pages, as far as it is not mapped yet. */
static void map_direct(u64 start, u64 end) {
    u64 *pdpt = descend((u64 *)direct(kernel_pml4) + 256, true, 0);
    for (u64 at = ALIGN_DOWN(start, LARGE_PAGE); at < end && at < 512 * GIB; at += LARGE_PAGE) {
        u64 *pd = descend(&pdpt[at >> 30], true, 0);
        if (!pd) panic("no memory for the direct map");
        pd[at >> 21 & 511] = at | PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE | PAGE_GLOBAL | page_nx;
    }
}

void paging_init_cpu(void) {
    write_cr3(kernel_pml4);
    struct cpuid features = cpuid(1, 0);
    if (features.d & 1 << 13) write_cr4(read_cr4() | CR4_PGE);
    // SMEP: ring 0 may not run the user's pages. (SMAP would have every copy from user memory framed by STAC and CLAC.)
    if (cpuid(0, 0).a >= 7 && cpuid(7, 0).b & 1 << 7) write_cr4(read_cr4() | CR4_SMEP);
    // No x87, no SSE in this kernel and its programs: CR0.TS makes their use a #NM (SDM 3A 2.5).
    write_cr0((read_cr0() & ~CR0_EM) | CR0_MP | CR0_TS | CR0_NE | CR0_WP);
}

void paging_init(void) {
    page_nx = read_msr(MSR_EFER) & EFER_NXE ? PAGE_NX : 0;
    kernel_pml4 = frame_allocate_zeroed(FRAME_TABLE);
    map_direct(0, LARGE_PAGE); // BIOS data, video memory, ROM
    for (unsigned i = 0; i < boot_info.map_count; i++) {
        struct memory_range *r = &boot_info.map[i];
        if (r->type == MEMORY_USABLE || r->type == MEMORY_ACPI_RECLAIMABLE || r->type == MEMORY_ACPI_NVS) map_direct(r->start, r->start + r->size);
    }
    if (boot_info.initrd_size) map_direct(boot_info.initrd, boot_info.initrd + boot_info.initrd_size);
    map_kernel(__text_start, __text_end, 0);
    map_kernel(__rodata_start, __rodata_end, page_nx);
    map_kernel(__data_start, __kernel_end, PAGE_WRITE | page_nx);
    // Every process copies the upper half of this PML4 once, when it is made: its tables must all exist by then.
    descend((u64 *)direct(kernel_pml4) + index_of(DYNAMIC_BASE, 4), true, 0);
    // The page that the other CPUs start in must be mapped to itself while they turn on paging (cpu/smp.c).
    paging_init_cpu();
}

u64 reserve_kernel_range(u64 size) { return __atomic_fetch_add(&dynamic_next, ALIGN_UP(size, PAGE_SIZE), __ATOMIC_RELAXED); }

volatile void *map_device_volatile(u64 physical, u64 size) {
    u64 start = ALIGN_DOWN(physical, PAGE_SIZE), end = ALIGN_UP(physical + size, PAGE_SIZE);
    u64 at = reserve_kernel_range(end - start);
    u64 flags = spin_lock(&lock);
    bool done = true;
    for (u64 offset = 0; offset < end - start && done; offset += PAGE_SIZE)
        done = map_page(kernel_pml4, at + offset, start + offset, PAGE_WRITE | PAGE_NO_CACHE | PAGE_GLOBAL | page_nx);
    spin_unlock(&lock, flags);
    return done ? (volatile void *)(at + (physical - start)) : NULL;
}

const void *map_firmware(u64 physical, u64 size) {
    bool mapped = true;
    for (u64 at = ALIGN_DOWN(physical, PAGE_SIZE); at < physical + size && mapped; at += PAGE_SIZE) mapped = is_mapped(DIRECT_MAP + at);
    return mapped ? direct(physical) : map_device(physical, size);
}

// ---- kernel stacks: slots of 32 KiB, of which the lower half is never mapped

#define SLOT (2 * KERNEL_STACK_SIZE)
#define SLOTS 4096
static u64 stacks_base, stacks_made;
static u64 spare; // stacks given back, still mapped: each has the next one's top in its last word

u64 kernel_stack_allocate(void) {
    u64 flags = spin_lock(&lock);
    u64 top = 0;
    if (spare) {
        top = spare;
        spare = ((u64 *)top)[-1];
    }
    else if (stacks_made < SLOTS) {
        if (!stacks_base) stacks_base = reserve_kernel_range(SLOT * SLOTS);
        top = stacks_base + SLOT * ++stacks_made;
        for (u64 at = top - KERNEL_STACK_SIZE; at < top; at += PAGE_SIZE) {
            u64 frame = frame_allocate(0, FRAME_STACK);
            if (!frame || !map_page(kernel_pml4, at, frame, PAGE_WRITE | PAGE_GLOBAL | page_nx)) {
                top = 0; // what was mapped of it stays: the machine is out of memory anyhow
                break;
            }
        }
    }
    spin_unlock(&lock, flags);
    return top;
}

void kernel_stack_free(u64 top) {
    u64 flags = spin_lock(&lock);
    ((u64 *)top)[-1] = spare;
    spare = top;
    spin_unlock(&lock, flags);
}

bool is_stack_guard(u64 address) {
    return stacks_base && address >= stacks_base && address < stacks_base + SLOT * stacks_made && (address - stacks_base) % SLOT < KERNEL_STACK_SIZE;
}
