// Device interrupts by their ISA number, whichever controller delivers them.
#pragma once
#include "cpu/trap.h"
#include "types.h"

/** Chooses the controller by the boot line and what the machine has, and masks everything. */
void irq_init(void);
/** Runs handler for ISA interrupt `irq` (0 .. 15), then acknowledges it; unmasks it. */
void irq_install(unsigned irq, const char *name, trap_handler handler);
/** The same for an IOAPIC pin from 16 up (a PCI interrupt); false under the PIC, which has none. */
void irq_mask(unsigned irq, bool masked);
void irq_print(void);
bool irq_uses_apic(void);
/** For `fault eoi`: the next interrupt of this number is not acknowledged. */
extern volatile int irq_forget_eoi;
/** The controller's in-service bit for `irq`: it has been delivered and not been acknowledged. */
bool irq_in_service(unsigned irq);
void irq_acknowledge(unsigned irq);
