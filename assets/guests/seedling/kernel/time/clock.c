#include "time/clock.h"
#include "boot-line.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/trap.h"
#include "irq/lapic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "task/sched.h"
#include "time/hpet.h"
#include "time/pit.h"

static u64 tsc_start, tsc_hz, lapic_hz;
static volatile u64 ticks;
static const char *source = "none";

u64 clock_ticks(void) { return ticks; }
const char *clock_tick_source(void) { return source; }
u64 clock_tsc_hz(void) { return tsc_hz; }
u64 clock_lapic_hz(void) { return lapic_hz; }

u64 clock_ns(void) {
    if (!tsc_hz) return rdtsc() & 0x3FFFFFFFFFFFFFFF; // before clock_init: something that grows
    u64 passed = rdtsc() - tsc_start;
    return passed / tsc_hz * 1000000000 + passed % tsc_hz * 1000000000 / tsc_hz;
}

void clock_delay(u64 ns) {
    u64 start = clock_ns();
    while (clock_ns() - start < ns) pause_cpu();
}

/** The smallest of several measurements, when another one has come within 1 % of it: whoever interrupts a measurement (an
 * SMI, or the host of an emulator) makes it longer, never shorter, and hardly twice by the same. They are short, so that most
 * of them are not interrupted. */
u64 clock_calibrate(u64 (*measure)(void)) {
    u64 best = measure();
    for (int round = 0; round < 20; round++) {
        u64 next = measure(), larger = MAX(best, next);
        best = MIN(best, next);
        if (round >= 4 && larger - best <= best / 100) break;
    }
    return best;
}

static u64 tsc_in_1_ms(void) {
    u64 before = rdtsc();
    pit_wait(PIT_HZ / 1000);
    return rdtsc() - before;
}

void clock_init(void) {
    u64 best = clock_calibrate(tsc_in_1_ms);
    tsc_start = rdtsc();
    tsc_hz = MAX(best * 1000, 1000000);
    lapic_hz = lapic_timer_calibrate();
}

/** One tick on the first CPU: time goes on, sleepers wake, and each CPU's task is charged. */
static void tick(void) {
    ticks++;
    sched_tick_global();
    sched_tick();
    // Without timers of their own the other CPUs are told by interrupt.
    if (source[0] != 'l')
        for (unsigned i = 1; i < cpu_count; i++)
            if (cpus[i].online) lapic_send(cpus[i].apic_id, VECTOR_IPI_TICK);
}

static void local_timer(struct trap_frame *frame) {
    (void)frame;
    if (this_cpu()->index == 0) tick();
    else sched_tick();
    lapic_eoi();
}

static void tick_ipi(struct trap_frame *frame) {
    (void)frame;
    sched_tick();
    lapic_eoi();
}

void clock_start(void) {
    trap_handle(VECTOR_LAPIC_TIMER, local_timer);
    trap_handle(VECTOR_IPI_TICK, tick_ipi);
    if (!strcmp(boot_options.timer, "hpet")) {
        if (hpet_start(boot_options.hz, tick)) {
            source = "hpet";
            return;
        }
        printf("clock: no HPET that can tick: trying the local APIC's timer\n");
    }
    if (strcmp(boot_options.timer, "pit") && lapic_hz) {
        source = "lapic";
        lapic_timer_start(boot_options.hz);
        return;
    }
    if (!strcmp(boot_options.timer, "lapic")) printf("clock: no local APIC: using the PIT\n");
    source = "pit";
    pit_start(MAX(boot_options.hz, 19), tick);
}

void clock_start_cpu(void) {
    if (source[0] == 'l') lapic_timer_start(boot_options.hz);
}
