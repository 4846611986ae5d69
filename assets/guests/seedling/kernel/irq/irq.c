#include "irq/irq.h"
#include "boot-line.h"
#include "cpu/percpu.h"
#include "irq/ioapic.h"
#include "irq/lapic.h"
#include "irq/pic.h"
#include "lib/printf.h"
#include "lib/string.h"

static struct { const char *name; trap_handler handler; u64 count; } lines[16];
static bool apic;
volatile int irq_forget_eoi = -1;

bool irq_uses_apic(void) { return apic; }

void irq_init(void) {
    pic_init();
    bool wanted = !strcmp(boot_options.irq, "apic");
    lapic_init();
    apic = wanted && lapic_present() && ioapic_init();
    if (wanted && !apic)
        printf("interrupts: no %s, using the 8259A pair\n", lapic_present() ? "IOAPIC in the firmware's tables" : "local APIC");
    // Under the PIC the local APIC lets the 8259's INTR pass through LINT0 (virtual wire mode, SDM 3A 10.1), and serves
    // for interrupts between processors and its timer all the same.
    lapic_virtual_wire(!apic);
}

bool irq_in_service(unsigned irq) { return apic ? lapic_in_service(VECTOR_IRQ0 + irq) : pic_in_service(irq); }

void irq_acknowledge(unsigned irq) {
    if (apic) lapic_eoi();
    else pic_eoi(irq);
}

static void dispatch(struct trap_frame *frame) {
    unsigned irq = (unsigned)frame->vector - VECTOR_IRQ0;
    if (!apic && pic_is_spurious(irq)) return; // nothing is in service, so nothing must be acknowledged
    lines[irq].count++;
    if (lines[irq].handler) lines[irq].handler(frame);
    if (irq_forget_eoi == (int)irq) {
        irq_forget_eoi = -1;
        return;
    }
    irq_acknowledge(irq);
}

void irq_mask(unsigned irq, bool masked) {
    if (apic) ioapic_mask(irq, masked);
    else pic_mask(irq, masked);
}

void irq_install(unsigned irq, const char *name, trap_handler handler) {
    lines[irq].name = name;
    lines[irq].handler = handler;
    trap_handle((u8)(VECTOR_IRQ0 + irq), dispatch);
    irq_mask(irq, false);
}

void irq_print(void) {
    printf("controller: %s\n", apic ? "IOAPIC and local APICs" : "8259A pair");
    printf("%-6s %-14s %10s\n", "line", "device", "count");
    for (unsigned i = 0; i < 16; i++)
        if (lines[i].name) printf("%-6u %-14s %10llu\n", i, lines[i].name, lines[i].count);
    printf("%-6s", "vector");
    for (unsigned c = 0; c < cpu_count; c++)
        if (cpus[c].online) printf("      CPU%-2u", c);
    printf("\n");
    for (unsigned v = 0; v < 256; v++) {
        u64 sum = 0;
        for (unsigned c = 0; c < cpu_count; c++) sum += cpus[c].interrupts[v];
        if (!sum) continue;
        printf("%02xh   ", v);
        for (unsigned c = 0; c < cpu_count; c++)
            if (cpus[c].online) printf(" %10llu", cpus[c].interrupts[v]);
        const char *name = v < 32                      ? exception_name(v)
                           : v < 48                    ? lines[v - 32].name
                           : v == VECTOR_LAPIC_TIMER   ? "local timer"
                           : v == VECTOR_SYSCALL       ? "int 80h"
                           : v == VECTOR_IPI_RESCHEDULE ? "IPI: reschedule"
                           : v == VECTOR_IPI_SHOOTDOWN ? "IPI: TLB shootdown"
                           : v == VECTOR_IPI_TICK      ? "IPI: tick"
                           : v == VECTOR_STORM         ? "storm"
                           : v == VECTOR_SPURIOUS      ? "spurious"
                                                       : "";
        printf("  %s\n", name ? name : "");
    }
}
