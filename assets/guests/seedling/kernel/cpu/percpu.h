// What each CPU has for itself, reached through GS (SDM 3A 3.4.4): GS.base points at this CPU's `struct cpu` while the
// kernel runs, and SWAPGS exchanges it for the user's on the way out and in.
#pragma once
#include "cpu/cpu.h"
#include "cpu/gdt.h"
#include "types.h"

#define MAX_CPUS 16
struct task;
struct address_space;

struct cpu {
    struct cpu *self;     // offset 0: `mov gs:0` answers the address of this structure
    u64 user_rsp;         // offset 8: SYSCALL leaves RSP alone; parked here for three instructions (cpu/traps.asm)
    u64 kernel_rsp;       // offset 16: top of the current task's kernel stack, as TSS.RSP0
    struct task *current; // offset 24
    u32 index, apic_id;
    volatile bool online;
    volatile bool need_resched;
    volatile bool in_interrupt;
    struct task *idle;
    struct address_space *volatile space; // whose page tables CR3 points at; NULL: the kernel's own
    u64 ticks, switches, interrupts[256];
    u64 slice_start; // clock_ns() when the current task got the CPU
    volatile u64 idle_ns;
    struct gdt gdt;
    struct tss tss;
    u8 *interrupt_stacks;
};
_Static_assert(offsetof(struct cpu, current) == 24, "cpu/traps.asm knows these offsets");

extern struct cpu cpus[MAX_CPUS];
extern unsigned cpu_count; // known to the firmware; cpus[i].online says which have come up

static inline struct cpu *this_cpu(void) {
    struct cpu *cpu;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}
/** One instruction, so it is right even if an interrupt moves us to another CPU just before or after. */
static inline struct task *current_task(void) {
    struct task *task;
    __asm__ volatile("mov %%gs:24, %0" : "=r"(task));
    return task;
}
