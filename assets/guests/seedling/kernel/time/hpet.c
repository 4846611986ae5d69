// The high precision event timer (IA-PC HPET 1.0a).
#include "time/hpet.h"
#include "dev/acpi.h"
#include "irq/irq.h"
#include "irq/lapic.h"
#include "lib/printf.h"
#include "mm/paging.h"

#define CAPABILITIES 0x000 // bits 63:32: femtoseconds a period; bit 15: legacy replacement possible
#define CONFIGURATION 0x010
#define COUNTER 0x0F0
#define TIMER0_CONFIGURATION 0x100
#define TIMER0_COMPARATOR 0x108

static volatile u8 *registers;
static u64 period_fs;
static void (*on_tick)(void);

static u64 get(u32 offset) { return *(volatile u64 *)(registers + offset); }
static void set(u32 offset, u64 value) { *(volatile u64 *)(registers + offset) = value; }

bool hpet_init(void) {
    if (!acpi.hpet_address) return false;
    registers = map_device(acpi.hpet_address, PAGE_SIZE);
    if (!registers) return false;
    period_fs = get(CAPABILITIES) >> 32;
    if (period_fs == 0 || period_fs > 100000000) return false; // 1.0a, 2.3.4: at most 100 ns
    set(CONFIGURATION, get(CONFIGURATION) & ~3ull);
    set(COUNTER, 0);
    return true;
}

bool hpet_run(bool on) {
    if (!registers && !hpet_init()) return false;
    if (!on_tick) set(CONFIGURATION, on);
    return true;
}

u64 hpet_ns(void) { return get(COUNTER) * period_fs / 1000000; }

static void interrupt(struct trap_frame *frame) {
    (void)frame;
    if (on_tick) on_tick();
}

bool hpet_start(u64 hz, void (*tick)(void)) {
    if (!registers && !hpet_init()) return false;
    if (!(get(CAPABILITIES) & 1 << 15)) return false;
    if (!(get(TIMER0_CONFIGURATION) & 1 << 4)) return false; // no periodic mode
    on_tick = tick;
    u64 periods = 1000000000000000ull / period_fs / hz;
    set(TIMER0_CONFIGURATION, 1 << 2 | 1 << 3 | 1 << 6); // interrupt enable, periodic, and let us set the accumulator
    set(TIMER0_COMPARATOR, periods);
    set(TIMER0_COMPARATOR, periods);
    irq_install(0, "HPET", interrupt);
    set(CONFIGURATION, 3); // run; legacy replacement: timer 0 is interrupt 0 (input 2 of the IOAPIC)
    return true;
}
