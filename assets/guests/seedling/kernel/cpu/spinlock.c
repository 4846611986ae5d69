#include "cpu/spinlock.h"
#include "boot-line.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "mm/shootdown.h"
#include "panic.h"
#include "symbols.h"
#include "time/clock.h"

u64 spin_lock(struct spinlock *lock) {
    u64 flags = interrupts_save();
    u32 me = this_cpu()->index + 1;
    if (lock->holder == me)
        panic("deadlock: CPU %u wants the lock '%s', which it has held since %s", me - 1, lock->name, symbol_text((u64)lock->taken_at));
    u32 nobody = 0;
    if (!__atomic_compare_exchange_n(&lock->holder, &nobody, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&lock->contended, 1, __ATOMIC_RELAXED);
        u64 deadline = 0;
        // Reading first keeps the line shared among the waiters; only a free lock is worth a locked instruction.
        do {
            while (lock->holder) {
                // Whoever holds the lock may be waiting for us to drop translations, and our interrupts are off.
                shootdown_serve();
                if (panic_stops_this_cpu()) stop_cpu();
                pause_cpu();
                if (!deadline) deadline = clock_ns() + boot_options.patience * 1000000;
                else if (clock_ns() > deadline)
                    panic("deadlock: CPU %u waits for the lock '%s', held by CPU %u since %s", me - 1, lock->name, lock->holder - 1,
                          symbol_text((u64)lock->taken_at));
            }
            nobody = 0;
        } while (!__atomic_compare_exchange_n(&lock->holder, &nobody, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    }
    lock->taken_at = __builtin_return_address(0);
    return flags;
}

void spin_unlock_keep(struct spinlock *lock) {
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
}

void spin_unlock(struct spinlock *lock, u64 flags) {
    spin_unlock_keep(lock);
    interrupts_restore(flags);
}
