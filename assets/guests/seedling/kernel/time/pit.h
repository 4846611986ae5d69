// The 8254 interval timer: channel 0 makes interrupt 0, channel 2 can be watched by port 61h.
#pragma once
#include "types.h"
#define PIT_HZ 1193182ull
void pit_start(u64 hz, void (*tick)(void));
void pit_stop(void);
/** So many counts of another clock passed, give or take `error`: half the time in which the period may have begun or ended. */
struct measured { u64 counts, error; };
/** Times that many periods of the PIT (at most 65535) by another clock, by looking; needs no interrupt. */
struct measured pit_measure(u64 periods, u64 (*now)(void));
