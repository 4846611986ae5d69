// Segments, task state segments and the stacks they name (SDM 3A 3.4.5, 8.7).
#pragma once
#include "types.h"

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA 0x1B // SYSRET loads SS from STAR[63:48] + 8 and CS from + 16 (SDM 2B, SYSRET): data before code
#define USER_CODE 0x23
#define TSS_SELECTOR 0x28
#define ABSENT_SEGMENT 0x38 // a data segment that is not present, for `fault segment`

#define IST_DOUBLE_FAULT 1
#define IST_NMI 2
#define IST_MACHINE_CHECK 3

struct gdt { u64 entries[8]; };
/** 64-bit TSS: no task switching any more, only stacks (SDM 3A 8.7). */
struct PACKED tss {
    u32 reserved0;
    u64 rsp[3]; // RSP0: where an interrupt in ring 3 puts its frame
    u64 reserved1;
    u64 ist[7]; // stacks that are switched to without regard to the ring
    u64 reserved2;
    u16 reserved3, io_map;
};
_Static_assert(sizeof(struct tss) == 104, "SDM 3A figure 8-11");

struct cpu;
/** Fills cpu's GDT and TSS and loads them, and GS.base, on the CPU that runs this. */
void gdt_load(struct cpu *cpu);
