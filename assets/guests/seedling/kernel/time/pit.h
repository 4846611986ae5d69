// The 8254 interval timer: channel 0 makes interrupt 0, channel 2 can be watched by port 61h.
#pragma once
#include "types.h"
#define PIT_HZ 1193182ull
void pit_start(u64 hz, void (*tick)(void));
void pit_stop(void);
/** Waits that many of its periods (at most 65535), by looking; needs no interrupt. */
void pit_wait(u64 periods);
