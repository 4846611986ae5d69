#include "task/wait.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "task/sched.h"
#include "task/task.h"
#include "time/clock.h"

void wait_locked(struct wait_queue *queue, u64 flags) {
    struct task *task = current_task();
    task->state = TASK_WAITING;
    list_append(&queue->tasks, &task->queue);
    sched_switch();
    sched_unlock(flags);
}

void wake_all(struct wait_queue *queue) {
    u64 flags = sched_lock();
    for (struct list *node; (node = list_pop(&queue->tasks));) {
        struct task *task = CONTAINER_OF(node, struct task, queue);
        list_remove(&task->sleeping); // if it had a time limit
        sched_ready(task, READY_WOKEN);
    }
    sched_unlock(flags);
}

bool wait_for_ns(struct wait_queue *queue, volatile bool *condition, u64 ns) {
    u64 until = clock_ns() + ns;
    for (;;) {
        u64 flags = sched_lock();
        if (*condition || clock_ns() >= until) {
            sched_unlock(flags);
            return *condition;
        }
        sched_add_sleeper(current_task(), until);
        wait_locked(queue, flags);
    }
}

void mutex_lock(struct mutex *mutex) {
    // Looking and taking is one step, because both happen under the scheduler's lock.
    WAIT_UNTIL(&mutex->waiters, !mutex->held && (mutex->held = 1));
}

void mutex_unlock(struct mutex *mutex) {
    __atomic_store_n(&mutex->held, 0, __ATOMIC_RELEASE);
    wake_all(&mutex->waiters);
}
