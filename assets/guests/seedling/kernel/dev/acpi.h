// What the firmware says of the machine in its ACPI tables (ACPI 6.4, chapter 5): processors, interrupt controllers,
// HPET, how to switch off.
#pragma once
#include "types.h"
#define ACPI_MAX_CPUS 16

struct acpi {
    bool found;
    u64 lapic_address, ioapic_address, hpet_address; // physical, 0: none
    u32 ioapic_base;                                 // the first global interrupt of the IOAPIC
    u32 cpu_apic_ids[ACPI_MAX_CPUS], cpu_count, cpus_beyond;
    struct { u32 gsi; bool level, low; } isa[16]; // where ISA interrupts really arrive
    u16 pm1a_control, pm1b_control, sleep_type_a, sleep_type_b;
    bool can_power_off;
    struct { bool present; u8 space; u64 address; u8 value; } reset;
    char tables[16][5];
    unsigned table_count;
};
extern struct acpi acpi;

/** Fills `acpi`; with no (or broken) tables, what a PC has always had. */
void acpi_init(void);
void acpi_print(void);
