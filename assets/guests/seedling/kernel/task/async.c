#include "task/async.h"
#include "cpu/spinlock.h"
#include "task/task.h"
#include "task/wait.h"
#include "time/clock.h"

static struct spinlock lock = SPINLOCK("async");
static LIST(ready);
static LIST(timers);
static u32 pending; // spawned and not done
struct timer { struct list node; struct future *future; u64 at; };
static struct timer timer_pool[16];

void async_wake(struct future *future) {
    u64 flags = spin_lock(&lock);
    if (!future->ready && !future->done) {
        future->ready = true;
        list_append(&ready, &future->node);
    }
    spin_unlock(&lock, flags);
}

void async_spawn(struct future *future) {
    list_init(&future->node);
    future->ready = future->done = false;
    future->step = 0;
    future->polls = 0;
    u64 flags = spin_lock(&lock);
    pending++;
    spin_unlock(&lock, flags);
    async_wake(future);
}

void async_wake_after(struct future *future, u64 ns) {
    u64 flags = spin_lock(&lock);
    bool placed = false;
    for (unsigned i = 0; i < COUNT_OF(timer_pool) && !placed; i++) {
        if (timer_pool[i].future) continue;
        timer_pool[i] = (struct timer){.future = future, .at = clock_ns() + ns};
        list_append(&timers, &timer_pool[i].node);
        placed = true;
    }
    spin_unlock(&lock, flags);
    if (!placed) async_wake(future); // no timer left: being polled too early is allowed
}

static u64 fire_timers(void) {
    struct future *due[COUNT_OF(timer_pool)];
    u64 count = 0, next = ~0ull, now = clock_ns(), flags = spin_lock(&lock);
    LIST_EACH_SAFE(node, &timers) {
        struct timer *timer = CONTAINER_OF(node, struct timer, node);
        if (timer->at <= now) {
            list_remove(node);
            due[count++] = timer->future;
            timer->future = NULL;
        } else next = MIN(next, timer->at);
    }
    spin_unlock(&lock, flags);
    for (u64 i = 0; i < count; i++) async_wake(due[i]);
    return next;
}

u64 async_run(void) {
    u64 polls = 0;
    while (pending) {
        u64 next = fire_timers(), flags = spin_lock(&lock);
        struct list *node = list_pop(&ready);
        struct future *future = node ? CONTAINER_OF(node, struct future, node) : NULL;
        if (future) future->ready = false; // from here on a wake-up means: once more
        spin_unlock(&lock, flags);
        if (!future) {
            u64 now = clock_ns();
            task_sleep(next > now ? MIN(next - now, 10000000) : 0);
            continue;
        }
        polls++;
        future->polls++;
        if (future->poll(future)) {
            flags = spin_lock(&lock);
            future->done = true;
            if (future->ready) list_remove(&future->node);
            pending--;
            spin_unlock(&lock, flags);
        }
    }
    return polls;
}
