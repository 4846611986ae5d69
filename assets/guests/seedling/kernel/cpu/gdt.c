#include "cpu/gdt.h"
#include "cpu/percpu.h"

#define INTERRUPT_STACK 4096 // each of the three

// Allocating is not possible yet when the first CPU needs them, and no CPU can do without: #DF must never lack a stack.
static u8 interrupt_stacks[MAX_CPUS][3][INTERRUPT_STACK] __attribute__((aligned(16)));

void gdt_load(struct cpu *cpu) {
    u64 tss = (u64)&cpu->tss;
    cpu->gdt = (struct gdt){{
        0,
        0x00AF9A000000FFFF, // ring 0 code, L
        0x00CF92000000FFFF, // ring 0 data
        0x00CFF2000000FFFF, // ring 3 data
        0x00AFFA000000FFFF, // ring 3 code, L
        (tss & 0xFFFFFF) << 16 | (tss >> 24 & 0xFF) << 56 | 0x89ull << 40 | (sizeof(struct tss) - 1), // available TSS
        tss >> 32,
        0x00CF12000000FFFF, // ring 0 data, P clear
    }};
    cpu->tss = (struct tss){.io_map = sizeof(struct tss)}; // behind the limit: no port is open to ring 3
    for (int i = 0; i < 3; i++) cpu->tss.ist[i] = (u64)interrupt_stacks[cpu->index][i] + INTERRUPT_STACK;

    struct PACKED { u16 limit; u64 base; } pointer = {sizeof(struct gdt) - 1, (u64)&cpu->gdt};
    __asm__ volatile("lgdt %0" ::"m"(pointer) : "memory");
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:" ::"i"(KERNEL_CODE) : "rax", "memory");
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss" ::"r"(KERNEL_DATA) : "memory");
    __asm__ volatile("mov %0, %%fs; mov %0, %%gs" ::"r"(0) : "memory"); // this clears GS.base, so the MSR comes after it
    __asm__ volatile("ltr %w0" ::"r"(TSS_SELECTOR) : "memory");
    cpu->self = cpu;
    write_msr(MSR_GS_BASE, (u64)cpu);
    write_msr(MSR_KERNEL_GS_BASE, 0);
}
