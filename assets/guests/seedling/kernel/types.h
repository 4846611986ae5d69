// What every file uses: fixed-size integers, a few macros, the shape of the address space.
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64; // as printf's %llu wants it
typedef long long s64;

#define PAGE_SIZE 4096ull
#define PAGE_SHIFT 12
#define LARGE_PAGE (2ull << 20)
#define KIB 1024ull
#define MIB (1024ull * KIB)
#define GIB (1024ull * MIB)

// The address space (see README.md, "Memory"). Everything from 2^47 up belongs to the kernel in every process.
#define USER_TOP 0x0000800000000000ull
#define DIRECT_MAP 0xFFFF800000000000ull  // physical memory, byte for byte
#define DYNAMIC_BASE 0xFFFFC00000000000ull // kernel stacks, device registers: mapped page by page
#define KERNEL_BASE 0xFFFFFFFF80000000ull // the kernel's code and data; -mcmodel=kernel wants the top 2 GiB

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ALIGN_UP(value, to) (((value) + ((to)-1)) & ~((u64)(to)-1))
#define ALIGN_DOWN(value, to) ((value) & ~((u64)(to)-1))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define PACKED __attribute__((packed))
#define NORETURN __attribute__((noreturn))
#define NOINLINE __attribute__((noinline))
#define PRINTF(text, first) __attribute__((format(printf, text, first)))

/** A physical address seen through the direct map. */
static inline void *direct(u64 physical) { return (void *)(DIRECT_MAP + physical); }

/** The physical address of something in the direct map or in the kernel's image; nothing else has an easy answer. */
static inline u64 physical_of(const void *pointer) {
    u64 address = (u64)pointer;
    return address >= KERNEL_BASE ? address - KERNEL_BASE : address - DIRECT_MAP;
}
