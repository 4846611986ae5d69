/* The Ringside debug port, protocol 1: how a kernel tells the workstation what only it can know. Described in
 * docs/debug-port.md. Copy this file; it needs <stdint.h> and a GNU-style compiler for x86 or x86-64, and is in the public
 * domain (CC0). On any other machine the port is empty: ringside_present() says no, and an OUT to it does nothing.
 *
 * One `out dx, eax` is one event. EAX says which, RBX, RCX, RSI and RDI are its operands, so that events of several CPUs
 * cannot mix. Nothing is answered and no register changes. */
#ifndef RINGSIDE_H
#define RINGSIDE_H
#include <stdint.h>

#define RINGSIDE_PORT 0x5EEC
#define RINGSIDE_MAGIC 0x31474E52u /* "RNG1": what a 32-bit IN from the port answers */

enum ringside_event {
    RINGSIDE_ALLOCATE = 1, /* RBX address, RCX bytes, RSI pool, RDI caller's address or 0 */
    RINGSIDE_FREE = 2,     /* the same; RCX may be 0 if the size is not known */
    RINGSIDE_POOL = 3,     /* RBX name, RCX its length, RSI pool: what events of this pool are about */
    RINGSIDE_NAMED = 4,    /* RBX name, RCX its length, RSI and RDI values: anything */
    RINGSIDE_TASK = 5,     /* RBX name, RCX its length, RSI id: this CPU now runs that task */
};
/* Pool 0 holds physical frames, and its addresses are physical; those of all other pools are virtual. */
#define RINGSIDE_FRAMES 0

static inline int ringside_present(void) {
    uint32_t answer;
    __asm__ volatile("inl %%dx, %%eax" : "=a"(answer) : "d"((uint16_t)RINGSIDE_PORT));
    return answer == RINGSIDE_MAGIC;
}

static inline void ringside_send(enum ringside_event event, uintptr_t b, uintptr_t c, uintptr_t s, uintptr_t d) {
    __asm__ volatile("outl %%eax, %%dx" ::"a"((uint32_t)event), "d"((uint16_t)RINGSIDE_PORT), "b"(b), "c"(c), "S"(s), "D"(d) : "memory");
}

static inline void ringside_allocate(uintptr_t pool, uintptr_t address, uintptr_t bytes, uintptr_t caller) {
    ringside_send(RINGSIDE_ALLOCATE, address, bytes, pool, caller);
}
static inline void ringside_free(uintptr_t pool, uintptr_t address, uintptr_t bytes, uintptr_t caller) {
    ringside_send(RINGSIDE_FREE, address, bytes, pool, caller);
}
/* Names are at most 63 bytes of ASCII or UTF-8, need no 0 behind them, and are read before the OUT retires. */
static inline void ringside_pool(uintptr_t pool, const char *name, uintptr_t length) {
    ringside_send(RINGSIDE_POOL, (uintptr_t)name, length, pool, 0);
}
static inline void ringside_named(const char *name, uintptr_t length, uintptr_t value1, uintptr_t value2) {
    ringside_send(RINGSIDE_NAMED, (uintptr_t)name, length, value1, value2);
}
static inline void ringside_task(uintptr_t id, const char *name, uintptr_t length) {
    ringside_send(RINGSIDE_TASK, (uintptr_t)name, length, id, 0);
}
#endif
