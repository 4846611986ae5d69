// Page tables: four levels of 512 entries (SDM 3A 4.5).
#pragma once
#include "types.h"

#define PAGE_PRESENT (1ull << 0)
#define PAGE_WRITE (1ull << 1)
#define PAGE_USER (1ull << 2)
#define PAGE_NO_CACHE (1ull << 4)
#define PAGE_ACCESSED (1ull << 5)
#define PAGE_DIRTY (1ull << 6)
#define PAGE_LARGE (1ull << 7)
#define PAGE_GLOBAL (1ull << 8)
#define PAGE_COPY_ON_WRITE (1ull << 9) // ours: bits 11:9 are ignored by the CPU
#define PAGE_NX (1ull << 63)
#define PAGE_ADDRESS 0x000FFFFFFFFFF000ull

/** The kernel's page tables, with its parts protected, replace the entry code's. */
void paging_init(void);
/** On each further CPU. */
void paging_init_cpu(void);
extern u64 kernel_pml4; // physical
extern u64 page_nx;     // PAGE_NX where the CPU has it

/** The entry that maps a virtual address, of whatever size; NULL: none is present. *size (if not NULL): bytes it maps. */
u64 *page_entry(u64 pml4, u64 address, u64 *size);
/** The 4 KiB entry for an address; tables on the way are made if `make`; NULL: no table, or no memory for one. */
u64 *page_slot(u64 pml4, u64 address, bool make);
/** False: no memory for a table. Does not flush: an entry that was not present is in no TLB. */
bool map_page(u64 pml4, u64 address, u64 physical, u64 flags);
bool is_mapped(u64 address);

/** Device registers at a physical address, not cached; NULL when no memory is left. Never unmapped. */
volatile void *map_device_volatile(u64 physical, u64 size);
#define map_device(physical, size) ((void *)map_device_volatile(physical, size))
/** Firmware's tables, by the direct map if they are in it. */
const void *map_firmware(u64 physical, u64 size);
/** A range of kernel addresses for the caller to map into; never given back. */
u64 reserve_kernel_range(u64 size);
/** A kernel stack with an unmapped page below it: the address of its top, 0: no memory. Freed ones are kept for others. */
#define KERNEL_STACK_SIZE (16 * KIB)
u64 kernel_stack_allocate(void);
void kernel_stack_free(u64 top);
/** Whether an address lies in the guard page of a kernel stack. */
bool is_stack_guard(u64 address);
