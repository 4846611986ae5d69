// The scheduler's mechanism (sched.c) and its policies (policies.c), which can be exchanged while everything runs.
#pragma once
#include "lib/list.h"
#include "lib/rbtree.h"
#include "types.h"
struct task;

/** Why a task becomes ready. */
enum ready_reason { READY_NEW, READY_WOKEN, READY_PREEMPTED, READY_YIELDED };

/** One for the whole machine; every policy keeps its tasks in here. */
struct run_queue {
    const struct policy *policy;
    u32 count;              // tasks ready and not running
    struct list queues[16]; // most policies use some of these
    struct rb_tree by_time; // the fair one uses this
    u64 least_virtual_time;
};
extern struct run_queue run_queue;

struct policy {
    const char *name, *description;
    /** Puts a task where the policy wants it. */
    void (*enqueue)(struct task *task, enum ready_reason reason);
    /** The next task that may run on this CPU, still in the queue; NULL: none. */
    struct task *(*first)(u32 cpu);
    void (*dequeue)(struct task *task);
    /** At each tick, for the running task: true when somebody else should have a turn. */
    bool (*tick)(struct task *running);
    /** Whether a task that woke up should take the CPU from the one that runs. */
    bool (*preempts)(const struct task *woken, const struct task *running);
    /** The task ran for so long, and gives up the CPU because it waits (or not). */
    void (*ran)(struct task *task, u64 ns, bool waits);
    /** Once every second. */
    void (*second)(void);
};
extern const struct policy *const policies[];
extern const unsigned policy_count;

void sched_init(void);
/** False: no such policy. */
bool sched_select(const char *name);
const char *sched_name(void);
/** Lets somebody else run, if the policy finds one. */
void schedule(void);
/** With the lock held: takes the task, which is in no queue, into the ready ones. */
void sched_ready(struct task *task, enum ready_reason reason);
void sched_tick(void);
void sched_tick_global(void);
/** With the lock held, current task's state already changed. */
void sched_switch(void);
/** For the first run of a task: what sched_switch would do after the switch. */
void sched_finish_switch(void);
void sched_add_sleeper(struct task *task, u64 until);
void sched_print(void);
extern u64 context_switches;
