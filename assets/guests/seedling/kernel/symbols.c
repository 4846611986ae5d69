#include "symbols.h"
#include "cpu/percpu.h"
#include "lib/printf.h"
#include "mm/paging.h"

struct symbol { u32 address, name; }; // offsets from KERNEL_BASE and into symbol_names; sorted by address
extern const u32 symbol_count;
extern const struct symbol symbol_table[];
extern const char symbol_names[];

const char *symbol_find(u64 address, u64 *offset) {
    if (address < KERNEL_BASE + MIB || address >= (u64)&symbol_count || symbol_count == 0) return NULL;
    u32 wanted = (u32)(address - KERNEL_BASE), low = 0, high = symbol_count;
    while (high - low > 1) {
        u32 middle = (low + high) / 2;
        if (symbol_table[middle].address <= wanted) low = middle;
        else high = middle;
    }
    if (symbol_table[low].address > wanted) return NULL;
    *offset = wanted - symbol_table[low].address;
    return symbol_names + symbol_table[low].name;
}

const char *symbol_text(u64 address) {
    static char texts[MAX_CPUS][4][64];
    static u8 turn[MAX_CPUS];
    u32 cpu = this_cpu()->index;
    char *text = texts[cpu][turn[cpu]++ & 3];
    u64 offset;
    const char *name = symbol_find(address, &offset);
    if (name) format(text, 64, "%s+0x%llx", name, offset);
    else format(text, 64, "?");
    return text;
}

void print_backtrace_from(u64 frame_pointer) {
    // A smashed stack may send us anywhere: go up only, stay in the kernel's half, and look before touching.
    for (int depth = 0; depth < 24; depth++) {
        if (frame_pointer < USER_TOP || frame_pointer % 8 || !is_mapped(frame_pointer) || !is_mapped(frame_pointer + 8)) break;
        u64 next = ((u64 *)frame_pointer)[0], address = ((u64 *)frame_pointer)[1];
        if (!address) break;
        printf("  %p %s\n", (void *)address, symbol_text(address - 1)); // - 1: the call, not what follows it
        if (next <= frame_pointer) break;
        frame_pointer = next;
    }
}

void print_backtrace(u64 frame_pointer) { print_backtrace_from(frame_pointer); }
