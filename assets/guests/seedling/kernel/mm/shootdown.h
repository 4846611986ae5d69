// TLB shootdown: other CPUs keep translations of page tables that this one has changed until they are told (SDM 3A 4.10.5).
#pragma once
#include "types.h"
struct address_space;

/** Drops the translations of `pages` pages from `address` on, on this CPU and on all that use the space (NULL: all CPUs),
 * and returns when all have. Call it after the change and before the frame is given to somebody else. */
void shootdown(struct address_space *space, u64 address, u64 pages);
/** Does what another CPU is waiting for. From the IPI, and from loops that wait with interrupts off. */
void shootdown_serve(void);
void shootdown_init(void);
/** The bug on purpose: only the own TLB is looked after. */
extern bool shootdown_forget;
extern u64 shootdowns, shootdown_ipis, shootdowns_forgotten;
