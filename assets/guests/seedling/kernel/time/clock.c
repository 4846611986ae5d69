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

static struct measured tsc, lapic; // a second
static u64 tsc_start, tsc_hz;
static volatile u64 ticks;
static const char *source = "none";

u64 clock_ticks(void) { return ticks; }
const char *clock_tick_source(void) { return source; }
u64 clock_tsc_hz(void) { return tsc_hz; }
void clock_print(void) {
    printf("TSC %llu MHz +- %llu kHz, local timer %llu +- %llu kHz / 16, tick by %s, %llu a second\n", tsc_hz / 1000000, tsc.error / 1000,
           lapic.counts / 1000, lapic.error / 1000, source, boot_options.hz);
}
u64 clock_error_permille(void) { return tsc.error * 1000 / tsc_hz + (lapic.counts ? lapic.error * 1000 / lapic.counts : 0); }

u64 clock_ns(void) {
    if (!tsc_hz) return rdtsc() & 0x3FFFFFFFFFFFFFFF; // before clock_init: something that grows
    u64 passed = rdtsc() - tsc_start;
    return passed / tsc_hz * 1000000000 + passed % tsc_hz * 1000000000 / tsc_hz;
}

void clock_delay(u64 ns) {
    u64 start = clock_ns();
    while (clock_ns() - start < ns) pause_cpu();
}

/** The least disturbed of several measurements; the first that is good to 0.1 % will do. Long ones are better, short ones are
 * more often finished before somebody interrupts them. */
static struct measured calibrate(const char *name, u64 (*now)(void)) {
    static const u64 a_second[] = {200, 1000, 100, 500};
    struct measured best = {0, ~0ull};
    for (unsigned round = 0; round < 48 && best.error > best.counts / 1000; round++) {
        u64 n = a_second[round % COUNT_OF(a_second)];
        struct measured next = pit_measure(PIT_HZ / n, now);
        if (next.counts && next.error * n < best.error) best = (struct measured){next.counts * n, next.error * n};
    }
    if (best.error > best.counts / 100) printf("clock: %s could not be measured better than %llu +- %llu kHz\n", name, best.counts / 1000, best.error / 1000);
    return best;
}

void clock_init(void) {
    tsc = calibrate("the TSC", rdtsc);
    tsc_start = rdtsc();
    tsc_hz = MAX(tsc.counts, 1000000);
    if (!lapic_timer_count_up()) return;
    lapic = calibrate("the local APIC's timer", lapic_timer_count);
    lapic_timer_hz(lapic.counts);
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
    if (strcmp(boot_options.timer, "pit") && lapic.counts) {
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
