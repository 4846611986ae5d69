#include "dev/power.h"
#include "cpu/cpu.h"
#include "dev/acpi.h"
#include "lib/printf.h"
#include "mm/paging.h"
#include "time/clock.h"

#define SLP_EN (1 << 13)

void power_off(void) {
    interrupts_off();
    if (acpi.can_power_off) { // ACPI 6.4, 4.8.3.2.1: SLP_TYP in bits 12:10
        outw(acpi.pm1a_control, (u16)(acpi.sleep_type_a << 10 | SLP_EN));
        if (acpi.pm1b_control) outw(acpi.pm1b_control, (u16)(acpi.sleep_type_b << 10 | SLP_EN));
        clock_delay(100000000);
    }
    outw(0x604, 0x2000);                                     // QEMU's PM1a_CNT, with no tables to say so
    for (const char *c = "Shutdown"; *c; c++) outb(0x8900, (u8)*c); // Bochs
    printf("The machine does not switch itself off: do it by hand.\n");
    stop_cpu();
}

void reboot(void) {
    interrupts_off();
    if (acpi.reset.present) {
        if (acpi.reset.space == 1) outb((u16)acpi.reset.address, acpi.reset.value);
        else if (acpi.reset.space == 0) {
            volatile u8 *address = map_device(acpi.reset.address, 1);
            if (address) *address = acpi.reset.value;
        }
        clock_delay(10000000);
    }
    outb(0xCF9, 0x02); // the PIIX's reset control register: first which kind, then do it
    outb(0xCF9, 0x06);
    clock_delay(10000000);
    for (int i = 0; i < 10000 && inb(0x64) & 2; i++) io_delay();
    outb(0x64, 0xFE); // the 8042 pulses the reset line
    clock_delay(10000000);
    struct PACKED { u16 limit; u64 base; } nothing = {0, 0};
    __asm__ volatile("lidt %0; int3" ::"m"(nothing)); // no IDT: triple fault
    stop_cpu();
}
