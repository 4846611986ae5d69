// Spinlocks. Taking one turns interrupts off on this CPU until it is given back, so an
// interrupt handler can never wait for the code it interrupted.
#pragma once
#include "types.h"

//
// Not ticket locks, though those are fair: where an emulator or hypervisor has more virtual CPUs than real ones, the CPU whose
// turn it is may not be running, and everybody waits for it (measured: 30 s for 8,000 hand-overs among four CPUs on two). Here
// whoever runs may take a lock that is free.

struct spinlock {
    volatile u32 holder; // CPU index + 1, 0: free
    void *volatile taken_at;
    const char *name;
    u64 contended;
};
#define SPINLOCK(title) {.name = (title)}

/** Answers the flags as they were, for spin_unlock. */
u64 spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock, u64 flags);
/** For a lock that is taken on one CPU and, after a switch of tasks, given back without touching interrupts. */
void spin_unlock_keep(struct spinlock *lock);
