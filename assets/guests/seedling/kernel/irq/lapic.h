// The local APIC of each CPU (SDM 3A 10).
#pragma once
#include "types.h"

void lapic_init(void);
/** On each further CPU. */
void lapic_init_cpu(void);
bool lapic_present(void);
u32 lapic_id(void);
void lapic_eoi(void);
bool lapic_in_service(u8 vector);
void lapic_virtual_wire(bool on);
/** An interrupt for another CPU. */
void lapic_send(u32 apic_id, u8 vector);
void lapic_send_init(u32 apic_id);
void lapic_send_startup(u32 apic_id, u8 page);
/** NMI to all others, who then find that the kernel has panicked. */
void lapic_stop_others(void);
/** To measure its timer by another clock, once, on the first CPU: lets it count (divided by 16); false: there is none. */
bool lapic_timer_count_up(void);
/** Counts since then. */
u64 lapic_timer_count(void);
/** And that is how fast it counts. */
void lapic_timer_hz(u64 hz);
void lapic_timer_start(u64 hz);
void lapic_timer_stop(void);
