// The policies. Each is a few short functions over `run_queue` and the fields of `struct task`; all run with the
// scheduler's lock held. Read them in this order: each adds one idea to those before it.
#include "boot-line.h"
#include "cpu/percpu.h"
#include "task/sched.h"
#include "task/task.h"
#include "time/clock.h"

static struct task *task_in(struct list *node) { return CONTAINER_OF(node, struct task, queue); }

static struct task *first_in(struct list *queue, u32 cpu) {
    LIST_EACH(node, queue) {
        struct task *task = task_in(node);
        if (task->pinned < 0 || task->pinned == (int)cpu) return task;
    }
    return NULL;
}
static struct task *first_of_queue_0(u32 cpu) { return first_in(&run_queue.queues[0], cpu); }
/** Queue 15 is looked at first. */
static struct task *first_of_highest(u32 cpu) {
    for (int q = 15; q >= 0; q--) {
        struct task *task = first_in(&run_queue.queues[q], cpu);
        if (task) return task;
    }
    return NULL;
}
static void dequeue_from_list(struct task *task) { list_remove(&task->queue); }
static void append(struct task *task, unsigned queue) { list_append(&run_queue.queues[queue], &task->queue); }
static bool never_ticks(struct task *task) { return (void)task, false; }
static bool never_preempts(const struct task *a, const struct task *b) { return (void)a, (void)b, false; }
static void ran_nothing(struct task *task, u64 ns, bool waits) { (void)task, (void)ns, (void)waits; }

/** True when this tick was the quantum's last. */
static bool quantum_over(struct task *task, u64 quantum) {
    if (task->quantum == 0 || task->quantum > quantum) task->quantum = quantum;
    task->used_quantum = --task->quantum == 0;
    return task->used_quantum;
}

// ---- fcfs: first come, first served. Who has the CPU keeps it until it waits.

static void fcfs_enqueue(struct task *task, enum ready_reason reason) {
    // A task that only lost the CPU to an interrupt is still the first that came.
    if (reason == READY_PREEMPTED) list_prepend(&run_queue.queues[0], &task->queue);
    else append(task, 0);
}

// ---- sjf: shortest job first. How long a job will take nobody knows; the guess is the exponential average of how long
// the task used to run before it waited: guess' = (burst + guess) / 2.

static void sjf_enqueue(struct task *task, enum ready_reason reason) {
    (void)reason;
    struct list *before = &run_queue.queues[0];
    LIST_EACH(node, &run_queue.queues[0])
        if (task_in(node)->burst_guess > task->burst_guess) {
            before = node;
            break;
        }
    list_insert_before(&task->queue, before);
}
static void sjf_ran(struct task *task, u64 ns, bool waits) {
    task->burst += ns;
    if (!waits) return;
    task->burst_guess = (task->burst + task->burst_guess) / 2;
    task->burst = 0;
}

// ---- rr: round robin. Everybody gets a quantum, then goes to the end of the queue.

static void rr_enqueue(struct task *task, enum ready_reason reason) {
    (void)reason;
    append(task, 0);
}
static bool rr_tick(struct task *task) { return quantum_over(task, boot_options.quantum); }

// ---- priority: always the highest, round robin among equals. The low ones may starve; that is the point.

static void priority_enqueue(struct task *task, enum ready_reason reason) {
    (void)reason;
    append(task, task->priority);
}
static bool priority_preempts(const struct task *woken, const struct task *running) { return woken->priority > running->priority; }

// ---- mlfq: multi-level feedback queue. Four levels; whoever uses up its quantum is a cruncher and sinks, into levels with
// longer quanta; whoever waits before that rises. Once a second all go back to the top, so that nobody starves.

#define MLFQ_TOP 3
static void mlfq_enqueue(struct task *task, enum ready_reason reason) {
    if (reason == READY_NEW) task->level = MLFQ_TOP;
    else if (reason == READY_PREEMPTED && task->used_quantum && task->level > 0) task->level--;
    else if (reason == READY_WOKEN && !task->used_quantum && task->level < MLFQ_TOP) task->level++;
    if (task->level > MLFQ_TOP) task->level = MLFQ_TOP;
    task->used_quantum = false;
    append(task, task->level);
}
static bool mlfq_tick(struct task *task) { return quantum_over(task, boot_options.quantum << (MLFQ_TOP - MIN(task->level, MLFQ_TOP))); }
static bool mlfq_preempts(const struct task *woken, const struct task *running) { return woken->level > running->level; }
static void mlfq_second(void) {
    for (int q = 0; q < MLFQ_TOP; q++)
        while (!list_empty(&run_queue.queues[q])) {
            struct task *task = task_in(list_pop(&run_queue.queues[q]));
            task->level = MLFQ_TOP;
            append(task, MLFQ_TOP);
        }
}

// ---- dynamic: round robin with dynamic priorities over 16 queues. A task starts at its priority; using up a quantum
// costs one, waking up from a wait brings one (at most 3 above where it started), and so does a second in a queue.

static void dynamic_enqueue(struct task *task, enum ready_reason reason) {
    u8 ceiling = (u8)MIN(task->priority + 3, PRIORITIES - 1);
    if (reason == READY_NEW) task->level = task->priority;
    else if (reason == READY_WOKEN && task->level < ceiling) task->level++;
    else if (reason == READY_PREEMPTED && task->used_quantum && task->level > 0) task->level--;
    if (task->level >= PRIORITIES) task->level = PRIORITIES - 1;
    task->used_quantum = false;
    append(task, task->level);
}
static void dynamic_second(void) {
    for (int q = PRIORITIES - 2; q >= 0; q--)
        LIST_EACH_SAFE(node, &run_queue.queues[q]) {
            struct task *task = task_in(node);
            if (task->level >= task->priority) continue;
            list_remove(node);
            append(task, ++task->level);
        }
}

// ---- fair: whoever has had the least. Virtual time is CPU time divided by weight, and weight grows by a quarter with each
// priority; the tasks are in a red-black tree by it, and the leftmost runs.

static u64 weight(const struct task *task) {
    u64 w = 1024;
    for (int p = DEFAULT_PRIORITY; p < task->priority; p++) w = w * 5 / 4;
    for (int p = task->priority; p < DEFAULT_PRIORITY; p++) w = w * 4 / 5;
    return w;
}
static void fair_enqueue(struct task *task, enum ready_reason reason) {
    // Who comes new or from a long sleep starts where the others are (a little before, when woken): not with the claim to
    // all the time it has missed.
    u64 bonus = reason == READY_WOKEN ? 5000000 : 0;
    u64 least = run_queue.least_virtual_time > bonus ? run_queue.least_virtual_time - bonus : 0;
    if ((reason == READY_NEW || reason == READY_WOKEN) && task->virtual_time < least) task->virtual_time = least;
    rb_insert(&run_queue.by_time, &task->by_time);
}
static struct task *fair_first(u32 cpu) {
    for (struct rb_node *node = rb_first(&run_queue.by_time); node; node = rb_next(node)) {
        struct task *task = CONTAINER_OF(node, struct task, by_time);
        if (task->pinned < 0 || task->pinned == (int)cpu) return task;
    }
    return NULL;
}
static void fair_dequeue(struct task *task) {
    if (task->virtual_time > run_queue.least_virtual_time) run_queue.least_virtual_time = task->virtual_time;
    rb_remove(&run_queue.by_time, &task->by_time);
}
static void fair_ran(struct task *task, u64 ns, bool waits) {
    (void)waits;
    task->virtual_time += ns * 1024 / weight(task);
}
/** With what it has run since it got the CPU, which is charged only when it leaves. */
static u64 virtual_now(const struct task *running) {
    return running->virtual_time + (clock_ns() - cpus[running->cpu].slice_start) * 1024 / weight(running);
}
static bool fair_tick(struct task *running) {
    struct rb_node *node = rb_first(&run_queue.by_time);
    return node && CONTAINER_OF(node, struct task, by_time)->virtual_time < virtual_now(running);
}
static bool fair_preempts(const struct task *woken, const struct task *running) {
    return woken->virtual_time + 1000000 < virtual_now(running); // a millisecond, so as not to switch for nothing
}

// ---- async: cooperative. Nobody is ever interrupted in favour of another: tasks run until they wait, sleep or yield, as
// the futures in task/async.c run until they answer "pending".

static const struct policy fcfs = {"fcfs", "first come, first served", fcfs_enqueue, first_of_queue_0, dequeue_from_list, never_ticks, never_preempts, ran_nothing, NULL};
static const struct policy sjf = {"sjf", "shortest job (by its history) first", sjf_enqueue, first_of_queue_0, dequeue_from_list, never_ticks, never_preempts, sjf_ran, NULL};
static const struct policy rr = {"rr", "round robin", rr_enqueue, first_of_queue_0, dequeue_from_list, rr_tick, never_preempts, ran_nothing, NULL};
static const struct policy priority = {"priority", "the highest priority", priority_enqueue, first_of_highest, dequeue_from_list, rr_tick, priority_preempts, ran_nothing, NULL};
static const struct policy mlfq = {"mlfq", "multi-level feedback queue", mlfq_enqueue, first_of_highest, dequeue_from_list, mlfq_tick, mlfq_preempts, ran_nothing, mlfq_second};
static const struct policy dynamic = {"dynamic", "round robin with dynamic priorities, 16 queues", dynamic_enqueue, first_of_highest, dequeue_from_list, rr_tick, mlfq_preempts, ran_nothing, dynamic_second};
static const struct policy fair = {"fair", "the least virtual run time", fair_enqueue, fair_first, fair_dequeue, fair_tick, fair_preempts, fair_ran, NULL};
static const struct policy async = {"async", "cooperative", rr_enqueue, first_of_queue_0, dequeue_from_list, never_ticks, never_preempts, ran_nothing, NULL};

const struct policy *const policies[] = {&fcfs, &sjf, &rr, &priority, &mlfq, &dynamic, &fair, &async};
const unsigned policy_count = COUNT_OF(policies);
