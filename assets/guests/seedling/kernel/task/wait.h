// Waiting for something to become true.
#pragma once
#include "cpu/spinlock.h"
#include "lib/list.h"
#include "types.h"

struct wait_queue { struct list tasks; };
#define WAIT_QUEUE(name) struct wait_queue name = {{&(name).tasks, &(name).tasks}}
static inline void wait_queue_init(struct wait_queue *queue) { list_init(&queue->tasks); }

/** Who changes the condition calls wake_all afterwards. The condition is looked at with the scheduler's lock held, and
 * waking takes that lock: no wake-up can fall between looking and going to sleep. */
#define WAIT_UNTIL(queue_, condition)                                                                                  \
    for (;;) {                                                                                                         \
        u64 wait_flags_ = sched_lock();                                                                                \
        if (condition) {                                                                                               \
            sched_unlock(wait_flags_);                                                                                 \
            break;                                                                                                     \
        }                                                                                                              \
        wait_locked(queue_, wait_flags_);                                                                              \
    }
u64 sched_lock(void);
void sched_unlock(u64 flags);
void wait_locked(struct wait_queue *queue, u64 flags);
void wake_all(struct wait_queue *queue);
/** Waits at most so long: false when the time was over. */
bool wait_for_ns(struct wait_queue *queue, volatile bool *condition, u64 ns);

/** A lock that may be held for long and slept in; not for interrupts. */
struct mutex { volatile u32 held; struct wait_queue waiters; };
#define MUTEX(name) struct mutex name = {0, {{&(name).waiters.tasks, &(name).waiters.tasks}}}
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
