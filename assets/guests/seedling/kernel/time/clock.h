// What time it is (since boot), and the tick.
#pragma once
#include "types.h"

/** Measures the TSC and the local APIC's timer against the PIT. */
void clock_init(void);
/** Starts the tick on the first CPU, by the boot line's choice of timer. */
void clock_start(void);
/** Starts this (further) CPU's own. */
void clock_start_cpu(void);
/** Nanoseconds since the kernel started; never goes back on one CPU. */
u64 clock_ns(void);
u64 clock_ticks(void);
void clock_delay(u64 ns);
const char *clock_tick_source(void);
u64 clock_tsc_hz(void);
/** By how much the TSC and the local timer together may have been measured wrong. */
u64 clock_error_permille(void);
/** The clocks, each with the error of its measurement. */
void clock_print(void);
