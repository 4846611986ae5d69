#include "cpu/trap.h"
#include "cpu/cpu.h"
#include "cpu/gdt.h"
#include "cpu/percpu.h"
#include "irq/irq.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/page-fault.h"
#include "panic.h"
#include "symbols.h"
#include "task/sched.h"
#include "task/task.h"

extern const u64 trap_stubs[256];
extern void syscall_entry(void);

// 16-byte gates (SDM 3A figure 6-8).
struct PACKED gate { u16 offset_low, selector; u8 ist, type; u16 offset_middle; u32 offset_high, reserved; };
static struct gate idt[256] __attribute__((aligned(16)));
static trap_handler handlers[256];

static void set_gate(unsigned vector, u8 ist, unsigned dpl) {
    u64 stub = trap_stubs[vector];
    // Type Eh: interrupt gate, which clears IF; a trap gate (Fh) would let an interrupt in before SWAPGS.
    idt[vector] = (struct gate){(u16)stub, KERNEL_CODE, ist, (u8)(0x8E | dpl << 5), (u16)(stub >> 16), (u32)(stub >> 32), 0};
}

void idt_init(void) {
    for (unsigned vector = 0; vector < 256; vector++) set_gate(vector, 0, 0);
    set_gate(VECTOR_NMI, IST_NMI, 0);
    set_gate(8, IST_DOUBLE_FAULT, 0); // the stack may be what is wrong
    set_gate(18, IST_MACHINE_CHECK, 0);
    set_gate(3, 0, 3); // INT3 and INTO are the user's to use, INT 0Eh is not
    set_gate(4, 0, 3);
    set_gate(VECTOR_SYSCALL, 0, 3);
}

void idt_load(void) {
    struct PACKED { u16 limit; u64 base; } pointer = {sizeof idt - 1, (u64)idt};
    __asm__ volatile("lidt %0" ::"m"(pointer) : "memory");
}

void trap_handle(u8 vector, trap_handler handler) { handlers[vector] = handler; }

void syscall_init_cpu(void) {
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SCE);
    write_msr(MSR_STAR, (u64)0x13 << 48 | (u64)KERNEL_CODE << 32);
    write_msr(MSR_LSTAR, (u64)syscall_entry);
    write_msr(MSR_SFMASK, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC | 0x4000); // and NT
}

static const char *const exceptions[32] = {
    "#DE divide error", "#DB debug", "NMI", "#BP breakpoint", "#OF overflow", "#BR bound range", "#UD invalid opcode",
    "#NM no FPU (Seedling uses none)", "#DF double fault", "coprocessor segment overrun", "#TS invalid TSS",
    "#NP segment not present", "#SS stack segment", "#GP general protection", "#PF page fault", "15", "#MF x87",
    "#AC alignment check", "#MC machine check", "#XM SIMD", "#VE virtualization", "#CP control protection",
};

const char *exception_name(u64 vector) {
    return vector < 32 && exceptions[vector] ? exceptions[vector] : "reserved exception";
}

void describe_error(u64 vector, u64 error, char *text, size_t size) {
    if (vector == VECTOR_PAGE_FAULT) // SDM 3A 4.7
        format(text, size, "%s, %s, %s%s%s%s", error & 1 ? "protection" : "not present",
               error & 16 ? "instruction fetch" : error & 2 ? "write" : "read", error & 4 ? "ring 3" : "ring 0",
               error & 8 ? ", reserved bit set" : "", error & 32 ? ", protection key" : "", error & 64 ? ", shadow stack" : "");
    else if (error && (vector >= 10 && vector <= 13)) // SDM 3A 6.13
        format(text, size, "%s index %llu%s", error & 2 ? "IDT" : error & 4 ? "LDT" : "GDT", error >> 3,
               error & 1 ? ", while delivering another event" : "");
    else format(text, size, "0x%llx", error);
}

void print_registers(const struct trap_frame *f) {
    printf("RAX %p RBX %p RCX %p RDX %p\n", (void *)f->rax, (void *)f->rbx, (void *)f->rcx, (void *)f->rdx);
    printf("RSI %p RDI %p RBP %p RSP %p\n", (void *)f->rsi, (void *)f->rdi, (void *)f->rbp, (void *)f->rsp);
    printf("R8  %p R9  %p R10 %p R11 %p\n", (void *)f->r8, (void *)f->r9, (void *)f->r10, (void *)f->r11);
    printf("R12 %p R13 %p R14 %p R15 %p\n", (void *)f->r12, (void *)f->r13, (void *)f->r14, (void *)f->r15);
    printf("CS  %04llx SS %04llx RFLAGS %08llx CR0 %08llx CR2 %p CR3 %08llx CR4 %06llx\n", f->cs, f->ss, f->rflags, read_cr0(),
           (void *)read_cr2(), read_cr3(), read_cr4());
}

/** An exception nobody resolved: the end of a process, or of the kernel. */
static void unhandled(struct trap_frame *frame, u64 cr2) {
    char error[80];
    describe_error(frame->vector, frame->error, error, sizeof error);
    if (from_user(frame)) {
        printf("[%d %s] killed: %s at RIP %llx", current_task()->pid, current_task()->name, exception_name(frame->vector), frame->rip);
        if (frame->vector == VECTOR_PAGE_FAULT) printf(", address %llx (%s)\n", cr2, error);
        else printf(", error code %s\n", error);
        task_exit(-(int)frame->vector);
    }
    if (frame->vector == VECTOR_PAGE_FAULT)
        panic_frame(frame, "%s: address %p, %s%s", exception_name(frame->vector), (void *)cr2, error, page_fault_hint(cr2));
    panic_frame(frame, "%s, error code %s", exception_name(frame->vector), error);
}

void trap_dispatch(struct trap_frame *frame) {
    struct cpu *cpu = this_cpu();
    u64 vector = frame->vector;
    cpu->interrupts[vector]++;
    if (vector < 32) {
        u64 cr2 = read_cr2(); // before anything can fault again
        if (vector == VECTOR_NMI && panic_stops_this_cpu()) stop_cpu();
        if (vector == VECTOR_PAGE_FAULT && page_fault(frame, cr2)) return;
        if (vector == 3 && from_user(frame)) {
            printf("[%d %s] breakpoint at %llx\n", current_task()->pid, current_task()->name, frame->rip);
            return;
        }
        unhandled(frame, cr2);
        return;
    }
    if (handlers[vector]) handlers[vector](frame);
    else if (vector != VECTOR_SPURIOUS) printf("interrupt %llxh: nobody expected it\n", vector);
    // A tick or a wake-up decided that somebody else should run: now, at the end of the interrupt, is the time. Every
    // spinlock keeps interrupts off, so whoever was interrupted holds none.
    if (this_cpu()->need_resched && (frame->rflags & RFLAGS_IF)) schedule();
    if (from_user(frame)) task_return_to_user();
}
