// Tells the workstation of allocations, frees and switches, when there is one and the boot line does not forbid it.
#pragma once
#include "../../../debug-port/ringside.h"
#include "types.h"

#define POOL_FRAMES RINGSIDE_FRAMES
#define POOL_SLAB_FIRST 0x10000 // + bits of the cache's address

extern bool debug_port_on;
void debug_port_init(void);
void debug_port_name_pool(u64 pool, const char *name);
/** "selftest: buddy" and the like, with two numbers. */
void debug_port_event(const char *name, u64 value1, u64 value2);
void debug_port_task(u64 id, const char *name);
static inline void debug_port_allocate(u64 pool, u64 address, u64 bytes, u64 caller) {
    if (debug_port_on) ringside_allocate(pool, address, bytes, caller);
}
static inline void debug_port_free(u64 pool, u64 address, u64 bytes, u64 caller) {
    if (debug_port_on) ringside_free(pool, address, bytes, caller);
}
