// Exceptions and interrupts: the table of gates and what a handler sees.
#pragma once
#include "types.h"

struct trap_frame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    u64 vector, error;
    u64 rip, cs, rflags, rsp, ss; // from here on as the CPU pushes them (SDM 3A figure 6-9)
};

#define VECTOR_NMI 2
#define VECTOR_PAGE_FAULT 14
#define VECTOR_IRQ0 0x20 // 20h-2Fh: ISA interrupts, by PIC or IOAPIC; 30h-37h: the IOAPIC's other pins
#define VECTOR_LAPIC_TIMER 0x40
#define VECTOR_SYSCALL 0x80
#define VECTOR_IPI_RESCHEDULE 0xF0
#define VECTOR_IPI_SHOOTDOWN 0xF1
#define VECTOR_IPI_TICK 0xF2
#define VECTOR_STORM 0xE0 // `storm` sends itself these
#define VECTOR_SPURIOUS 0xFF

typedef void (*trap_handler)(struct trap_frame *frame);
void idt_init(void);
void idt_load(void);
/** What runs for a vector from 20h up. Interrupts are off while it does. */
void trap_handle(u8 vector, trap_handler handler);
static inline bool from_user(const struct trap_frame *frame) { return frame->cs & 3; }
const char *exception_name(u64 vector);
/** "not present, write, user" and so on, for the error code of any exception. */
void describe_error(u64 vector, u64 error, char *text, size_t size);
/** Prepares SYSCALL on this CPU. */
void syscall_init_cpu(void);
/** All registers, and where they point. */
void print_registers(const struct trap_frame *frame);
