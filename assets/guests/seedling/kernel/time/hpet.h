#pragma once
#include "types.h"
/** True when the tables name one and it counts. */
bool hpet_init(void);
/** Interrupt 0 from timer 0, in place of the PIT (legacy replacement route). False: this HPET cannot. */
bool hpet_start(u64 hz, void (*tick)(void));
/** Lets its counter run, or stops it unless it ticks. False: there is none. */
bool hpet_run(bool on);
/** Nanoseconds that it has counted. */
u64 hpet_ns(void);
