// The I/O APIC (82093AA datasheet): takes the devices' lines and sends them to local APICs.
#pragma once
#include "types.h"
/** False when the firmware's tables name none. */
bool ioapic_init(void);
void ioapic_mask(unsigned irq, bool masked);
