#include "irq/ioapic.h"
#include "cpu/percpu.h"
#include "cpu/trap.h"
#include "dev/acpi.h"
#include "lib/printf.h"
#include "mm/paging.h"

// Two registers in memory: write an index to the one, the value is in the other (82093AA 3.1).
#define SELECT 0
#define WINDOW 4
#define VERSION 1
#define REDIRECTION(pin) (0x10 + 2 * (pin))
#define MASKED (1u << 16)
#define LEVEL (1u << 15)
#define ACTIVE_LOW (1u << 13)

static volatile u32 *registers;
static unsigned pins;

static u32 get(u32 index) {
    registers[SELECT] = index;
    return registers[WINDOW];
}
static void set(u32 index, u32 value) {
    registers[SELECT] = index;
    registers[WINDOW] = value;
}

bool ioapic_init(void) {
    if (!acpi.ioapic_address) return false;
    registers = map_device(acpi.ioapic_address, PAGE_SIZE);
    if (!registers) return false;
    pins = (get(VERSION) >> 16 & 0xFF) + 1;
    for (unsigned pin = 0; pin < pins; pin++) {
        set(REDIRECTION(pin) + 1, 0);
        set(REDIRECTION(pin), MASKED);
    }
    return true;
}

void ioapic_mask(unsigned irq, bool masked) {
    // An ISA interrupt need not be on the pin of the same number: the MADT has the exceptions (ACPI 6.4, 5.2.12.5);
    // the PIT's, for one, is on pin 2 on nearly every PC.
    u32 gsi = acpi.isa[irq].gsi, pin = gsi - acpi.ioapic_base;
    if (pin >= pins) {
        printf("ioapic: interrupt %u is on input %u, which this one does not have\n", irq, gsi);
        return;
    }
    u32 entry = (VECTOR_IRQ0 + irq) | (acpi.isa[irq].level ? LEVEL : 0) | (acpi.isa[irq].low ? ACTIVE_LOW : 0);
    set(REDIRECTION(pin) + 1, cpus[0].apic_id << 24); // all devices interrupt the first CPU
    set(REDIRECTION(pin), entry | (masked ? MASKED : 0));
}
