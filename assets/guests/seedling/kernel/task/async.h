// Cooperative tasks without stacks of their own: futures, in C. A future is a function that does what it can and answers
// whether it is done; whoever can make it go on keeps its waker.
#pragma once
#include "lib/list.h"
#include "types.h"

struct future {
    const char *name;
    /** Goes on from `step`; true: done. Must not block. */
    bool (*poll)(struct future *future);
    u32 step; // where it is; its own to use
    u64 polls;
    volatile bool ready; // in the executor's queue
    bool done;
    struct list node;
    u64 data[4];
};

/** Hands a future to the executor, which polls it at once and whenever it has been woken. */
void async_spawn(struct future *future);
/** From anywhere, interrupts included: polling it again makes sense. */
void async_wake(struct future *future);
/** Wakes it after that time. */
void async_wake_after(struct future *future, u64 ns);
/** Runs futures on the calling task until all are done; answers how many polls that took. */
u64 async_run(void);
