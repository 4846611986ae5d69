#include "task/sched.h"
#include "boot-line.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/spinlock.h"
#include "dev/debug-port.h"
#include "irq/lapic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/address-space.h"
#include "panic.h"
#include "task/task.h"
#include "time/clock.h"

extern void switch_stacks(u64 *save_rsp, u64 new_rsp);

struct run_queue run_queue;
u64 context_switches;
static struct spinlock lock = SPINLOCK("scheduler");
static LIST(sleepers); // by wake_at
static volatile u64 next_event; // no earlier than this has the global tick anything to do

u64 sched_lock(void) { return spin_lock(&lock); }
void sched_unlock(u64 flags) { spin_unlock(&lock, flags); }
const char *sched_name(void) { return run_queue.policy->name; }

static bool earlier(const struct rb_node *a, const struct rb_node *b) {
    return CONTAINER_OF(a, struct task, by_time)->virtual_time < CONTAINER_OF(b, struct task, by_time)->virtual_time;
}

static void reschedule_ipi(struct trap_frame *frame) {
    (void)frame;
    this_cpu()->need_resched = true;
    lapic_eoi();
}

void sched_init(void) {
    for (int i = 0; i < 16; i++) list_init(&run_queue.queues[i]);
    run_queue.by_time.less = earlier;
    if (!sched_select(boot_options.sched)) sched_select("rr");
    trap_handle(VECTOR_IPI_RESCHEDULE, reschedule_ipi);
}

bool sched_select(const char *name) {
    const struct policy *found = NULL;
    for (unsigned i = 0; i < policy_count; i++)
        if (!strcmp(policies[i]->name, name)) found = policies[i];
    if (!found) return false;
    u64 flags = sched_lock();
    // Everybody moves from the old policy's queues to the new one's, in the order in which they would have run.
    LIST(moving);
    for (struct task *task; run_queue.policy && run_queue.count;) {
        task = NULL;
        for (u32 cpu = 0; cpu < MAX_CPUS && !task; cpu++) task = run_queue.policy->first(cpu); // pinned ones, too
        run_queue.policy->dequeue(task);
        run_queue.count--;
        list_append(&moving, &task->queue);
    }
    run_queue.policy = found;
    for (struct list *node; (node = list_pop(&moving));) {
        found->enqueue(CONTAINER_OF(node, struct task, queue), READY_NEW);
        run_queue.count++;
    }
    sched_unlock(flags);
    return true;
}

static void poke(struct cpu *cpu) {
    if (cpu == this_cpu()) cpu->need_resched = true;
    else lapic_send(cpu->apic_id, VECTOR_IPI_RESCHEDULE);
}

/** A CPU for a task that has become ready: an idle one, or one whose task the policy ranks lower. */
static void find_cpu_for(struct task *task) {
    struct cpu *victim = NULL;
    for (u32 i = 0; i < cpu_count; i++) {
        struct cpu *cpu = &cpus[i];
        if (!cpu->online || !cpu->current || (task->pinned >= 0 && task->pinned != (int)i)) continue;
        if (cpu->current->is_idle) {
            if (cpu->need_resched) continue; // on its way already, to another task
            cpu->need_resched = true;
            poke(cpu);
            return;
        }
        if (run_queue.policy->preempts(task, cpu->current) && (!victim || run_queue.policy->preempts(victim->current, cpu->current)))
            victim = cpu;
    }
    if (victim) poke(victim);
}

void sched_ready(struct task *task, enum ready_reason reason) {
    task->state = TASK_READY;
    task->ready_since = clock_ns();
    run_queue.policy->enqueue(task, reason);
    run_queue.count++;
    if (reason == READY_NEW || reason == READY_WOKEN) find_cpu_for(task);
}

void sched_switch(void) {
    struct cpu *cpu = this_cpu();
    struct task *previous = cpu->current;
    cpu->need_resched = false;
    u64 now = clock_ns(), ran = now - cpu->slice_start;
    previous->run_ns += ran;
    if (previous->is_idle) cpu->idle_ns += ran;
    else run_queue.policy->ran(previous, ran, previous->state != TASK_READY);
    cpu->slice_start = now;

    struct task *next = run_queue.policy->first(cpu->index);
    if (next) {
        run_queue.policy->dequeue(next);
        run_queue.count--;
    } else next = cpu->idle;
    next->state = TASK_RUNNING;
    if (next == previous) return;
    if (!next->is_idle) next->ready_ns += now - next->ready_since;
    next->switches++;
    next->cpu = cpu->index;
    cpu->switches++;
    context_switches++;
    cpu->current = next;
    cpu->kernel_rsp = cpu->tss.rsp[0] = next->stack_top; // where the next interrupt from ring 3, and SYSCALL, begin
    switch_space(next->space);
    debug_port_task(next->pid, next->name);
    switch_stacks(&previous->rsp, next->rsp);
    // Here runs whoever was switched to, perhaps on another CPU than when it left.
}

void sched_finish_switch(void) { spin_unlock_keep(&lock); }

void schedule(void) {
    u64 flags = sched_lock();
    struct task *task = current_task();
    if (!task->is_idle) {
        task->state = TASK_READY;
        task->ready_since = clock_ns();
        run_queue.policy->enqueue(task, READY_PREEMPTED);
        run_queue.count++;
    }
    sched_switch();
    sched_unlock(flags);
}

void task_yield(void) {
    u64 flags = sched_lock();
    struct task *task = current_task();
    task->state = TASK_READY;
    task->ready_since = clock_ns();
    run_queue.policy->enqueue(task, READY_YIELDED);
    run_queue.count++;
    sched_switch();
    sched_unlock(flags);
}

void sched_tick(void) {
    struct cpu *cpu = this_cpu();
    cpu->ticks++;
    if (!cpu->current) return;
    if (cpu->current->is_idle) {
        if (run_queue.count) cpu->need_resched = true;
        return;
    }
    // Most ticks find nobody who could take over, and need not queue for the lock. On an emulator with more CPUs than its
    // host has, that matters: whoever holds the lock may not be running.
    if (!run_queue.count) return;
    u64 flags = sched_lock();
    if (run_queue.policy->tick(cpu->current) && run_queue.count) cpu->need_resched = true;
    sched_unlock(flags);
}

void sched_tick_global(void) {
    u64 now = clock_ns();
    static u64 next_second;
    if (now < next_event) return;
    u64 flags = sched_lock();
    while (!list_empty(&sleepers)) {
        struct task *task = CONTAINER_OF(sleepers.next, struct task, sleeping);
        if (task->wake_at > now) break;
        list_remove(&task->sleeping);
        list_remove(&task->queue); // it may wait for something, too, and not for ever
        sched_ready(task, READY_WOKEN);
    }
    if (now >= next_second) {
        next_second = now + 1000000000;
        if (run_queue.policy->second) run_queue.policy->second();
    }
    next_event = next_second;
    if (!list_empty(&sleepers)) next_event = MIN(next_event, CONTAINER_OF(sleepers.next, struct task, sleeping)->wake_at);
    sched_unlock(flags);
}

void sched_add_sleeper(struct task *task, u64 until) {
    task->wake_at = until;
    next_event = MIN(next_event, until);
    struct list *before = &sleepers;
    LIST_EACH(node, &sleepers)
        if (CONTAINER_OF(node, struct task, sleeping)->wake_at > until) {
            before = node;
            break;
        }
    list_insert_before(&task->sleeping, before);
}

void task_sleep(u64 ns) {
    u64 flags = sched_lock();
    struct task *task = current_task();
    task->state = TASK_SLEEPING;
    sched_add_sleeper(task, clock_ns() + ns);
    sched_switch();
    sched_unlock(flags);
}

void sched_print(void) {
    printf("scheduler: %s, %s; quantum %llu ticks of 1/%llu s; %u ready, %llu switches\n", run_queue.policy->name, run_queue.policy->description,
           boot_options.quantum, boot_options.hz, run_queue.count, context_switches);
    printf("known:");
    for (unsigned i = 0; i < policy_count; i++) printf(" %s", policies[i]->name);
    printf("\n");
}
