#include "irq/lapic.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/trap.h"
#include "dev/acpi.h"
#include "mm/paging.h"
#include "time/clock.h"

// Registers, as offsets (SDM 3A table 10-1).
#define ID 0x20
#define TPR 0x80
#define EOI 0xB0
#define SPURIOUS 0xF0
#define ISR 0x100
#define ESR 0x280
#define ICR_LOW 0x300
#define ICR_HIGH 0x310
#define LVT_TIMER 0x320
#define LVT_LINT0 0x350
#define LVT_LINT1 0x360
#define LVT_ERROR 0x370
#define TIMER_INITIAL 0x380
#define TIMER_CURRENT 0x390
#define TIMER_DIVIDE 0x3E0

#define ENABLE 0x100 // in SPURIOUS
#define MASKED (1 << 16)
#define PERIODIC (1 << 17)
#define DELIVERY_NMI (4 << 8)
#define DELIVERY_INIT (5 << 8)
#define DELIVERY_STARTUP (6 << 8)
#define DELIVERY_EXTINT (7 << 8)
#define ASSERT_LEVEL (1 << 14)
#define PENDING (1 << 12)
#define TO_OTHERS (3 << 18)
#define DIVIDE_BY_16 3

static volatile u32 *registers;
static u64 timer_hz;

static u32 get(u32 offset) { return registers[offset / 4]; }
static void set(u32 offset, u32 value) { registers[offset / 4] = value; }

bool lapic_present(void) { return registers != NULL; }
u32 lapic_id(void) { return registers ? get(ID) >> 24 : 0; }
void lapic_eoi(void) { set(EOI, 0); }
bool lapic_in_service(u8 vector) { return get(ISR + (u32)vector / 32 * 0x10) >> (vector & 31) & 1; }

void lapic_init_cpu(void) {
    if (!registers) return;
    write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | 1 << 11);
    set(TPR, 0); // let everything through
    set(SPURIOUS, ENABLE | VECTOR_SPURIOUS);
    set(LVT_TIMER, MASKED);
    set(LVT_ERROR, MASKED);
    set(LVT_LINT0, MASKED);
    set(LVT_LINT1, DELIVERY_NMI);
    set(EOI, 0);
}

void lapic_init(void) {
    if (!(cpuid(1, 0).d & 1 << 9)) return;
    registers = map_device(acpi.lapic_address ? acpi.lapic_address : 0xFEE00000, PAGE_SIZE);
    if (!registers) return;
    lapic_init_cpu();
    cpus[0].apic_id = lapic_id();
}

void lapic_virtual_wire(bool on) {
    if (registers) set(LVT_LINT0, on ? DELIVERY_EXTINT : MASKED | DELIVERY_EXTINT);
}

static void send(u32 apic_id, u32 command) {
    u64 flags = interrupts_save(); // the two halves belong together
    while (get(ICR_LOW) & PENDING) pause_cpu();
    set(ICR_HIGH, apic_id << 24);
    set(ICR_LOW, command); // writing the low half sends
    interrupts_restore(flags);
}

void lapic_send(u32 apic_id, u8 vector) { send(apic_id, ASSERT_LEVEL | vector); }
void lapic_send_init(u32 apic_id) { send(apic_id, ASSERT_LEVEL | DELIVERY_INIT); }
void lapic_send_startup(u32 apic_id, u8 page) { send(apic_id, ASSERT_LEVEL | DELIVERY_STARTUP | page); }
void lapic_stop_others(void) {
    if (registers) send(0, ASSERT_LEVEL | DELIVERY_NMI | TO_OTHERS);
}

bool lapic_timer_count_up(void) {
    if (!registers) return false;
    set(TIMER_DIVIDE, DIVIDE_BY_16);
    set(LVT_TIMER, MASKED);
    set(TIMER_INITIAL, 0xFFFFFFFF);
    return true;
}

u64 lapic_timer_count(void) { return 0xFFFFFFFF - get(TIMER_CURRENT); }

void lapic_timer_hz(u64 hz) {
    timer_hz = hz;
    set(TIMER_INITIAL, 0);
}

void lapic_timer_start(u64 hz) {
    set(TIMER_DIVIDE, DIVIDE_BY_16);
    set(LVT_TIMER, PERIODIC | VECTOR_LAPIC_TIMER);
    set(TIMER_INITIAL, (u32)MAX(timer_hz / hz, 1));
}

void lapic_timer_stop(void) {
    set(LVT_TIMER, MASKED);
    set(TIMER_INITIAL, 0);
}
