#include "task/task.h"
#include "console/terminal.h"
#include "cpu/cpu.h"
#include "cpu/gdt.h"
#include "cpu/percpu.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/address-space.h"
#include "mm/paging.h"
#include "mm/slab.h"
#include "panic.h"
#include "task/sched.h"
#include "time/clock.h"

extern void task_begin(void);
extern void trap_return(void);

LIST(all_tasks);
unsigned task_count;
static struct slab_cache task_cache;
static int next_pid = 1;
static struct task *reaper;

static const char *state_name(u8 state) {
    static const char *names[] = {"ready", "running", "waiting", "sleeping", "zombie"};
    return names[state];
}

/** A task that is in no queue yet. */
static struct task *make(const char *name) {
    struct task *task = slab_allocate(&task_cache);
    if (!task) return NULL;
    *task = (struct task){.priority = DEFAULT_PRIORITY, .level = DEFAULT_PRIORITY, .pinned = -1, .started = clock_ns()};
    task->stack_top = kernel_stack_allocate();
    if (!task->stack_top) {
        slab_free(&task_cache, task);
        return NULL;
    }
    copy_string(task->name, name, sizeof task->name);
    list_init(&task->queue);
    list_init(&task->sleeping);
    wait_queue_init(&task->children);
    return task;
}

static void publish(struct task *task, bool ready) {
    u64 flags = sched_lock();
    task->pid = next_pid++;
    list_append(&all_tasks, &task->all);
    task_count++;
    if (ready) sched_ready(task, READY_NEW);
    sched_unlock(flags);
}

/** Prepares the stack as if the task had called switch_stacks just before `function(argument)`. */
static void prepare(struct task *task, u64 top, void (*function)(void *), void *argument) {
    u64 *stack = (u64 *)top;
    *--stack = 0;                 // two words, so that RSP is a multiple of 16 where task_begin calls (psABI 3.2.2)
    *--stack = 0;
    *--stack = (u64)task_begin;   // where switch_stacks returns to
    *--stack = 0;                 // RBP
    *--stack = (u64)function;     // RBX
    *--stack = (u64)argument;     // R12
    for (int i = 0; i < 3; i++) *--stack = 0; // R13, R14, R15
    task->rsp = (u64)stack;
}

void task_started(void (*function)(void *), void *argument) {
    sched_finish_switch();
    interrupts_on();
    function(argument);
    task_exit(0);
}

struct task *task_create_on(unsigned cpu, const char *name, void (*function)(void *), void *argument) {
    struct task *task = make(name);
    if (!task) return NULL;
    prepare(task, task->stack_top, function, argument);
    task->pinned = (int)cpu;
    task->parent = reaper;
    publish(task, true);
    return task;
}

struct task *task_create(const char *name, void (*function)(void *), void *argument) {
    return task_create_on((unsigned)-1, name, function, argument);
}

void task_adopt_idle(void) {
    struct cpu *cpu = this_cpu();
    struct task *task = slab_allocate(&task_cache);
    ASSERT(task);
    *task = (struct task){.is_idle = true, .state = TASK_RUNNING, .pinned = (int)cpu->index, .cpu = cpu->index};
    format(task->name, sizeof task->name, "idle/%u", cpu->index);
    list_init(&task->queue);
    list_init(&task->sleeping);
    wait_queue_init(&task->children);
    cpu->idle = cpu->current = task;
    cpu->slice_start = clock_ns();
    u64 flags = sched_lock();
    list_append(&all_tasks, &task->all); // pid 0, all of them
    sched_unlock(flags);
}

/** Kernel threads and orphans end as children of this one, which forgets them. */
static void reap(void *nothing) {
    (void)nothing;
    for (;;) {
        int code;
        if (task_wait(-1, &code) < 0) task_sleep(20000000);
    }
}

void task_init(void) {
    slab_cache_init(&task_cache, "task", sizeof(struct task), 64, NULL);
    space_init();
}

void task_start_reaper(void) { reaper = task_create("reaper", reap, NULL); }

static void to_user(void *frame) {
    (void)frame;
    // The frame that fork or thread prepared lies at the top of this task's stack.
    u64 rsp = current_task()->stack_top - sizeof(struct trap_frame);
    __asm__ volatile("cli; mov %0, %%rsp; jmp trap_return" ::"r"(rsp) : "memory");
    __builtin_unreachable();
}

static struct task *make_child(struct trap_frame *frame, struct address_space *space) {
    struct task *parent = current_task(), *child = make(parent->name);
    if (!child) return NULL;
    child->space = space;
    child->parent = parent;
    child->priority = child->level = parent->priority;
    child->burst_guess = parent->burst_guess;
    child->virtual_time = parent->virtual_time;
    struct trap_frame *copy = (struct trap_frame *)(child->stack_top - sizeof *copy);
    *copy = *frame;
    copy->rax = 0;
    prepare(child, (u64)copy, to_user, NULL);
    for (int i = 0; i < MAX_FILES; i++)
        if (parent->files[i]) child->files[i] = file_share(parent->files[i]);
    return child;
}

int task_fork(struct trap_frame *frame) {
    struct address_space *space = space_fork(current_task()->space);
    if (!space) return -1;
    struct task *child = make_child(frame, space);
    if (!child) {
        space_release(space);
        return -1;
    }
    publish(child, true);
    return child->pid;
}

int task_thread(struct trap_frame *frame, u64 entry, u64 stack, u64 argument) {
    struct address_space *space = current_task()->space;
    space_share(space);
    struct task *child = make_child(frame, space);
    if (!child) {
        space_release(space);
        return -1;
    }
    struct trap_frame *copy = (struct trap_frame *)(child->stack_top - sizeof *copy);
    copy->rip = entry;
    copy->rsp = stack;
    copy->rdi = argument;
    publish(child, true);
    return child->pid;
}

void task_exit(int code) {
    struct task *task = current_task();
    if (task->is_idle) panic("an idle task ends");
    for (int i = 0; i < MAX_FILES; i++)
        if (task->files[i]) file_close(task->files[i]);
    if (task->space) {
        struct address_space *space = task->space;
        u64 flags = interrupts_save();
        task->space = NULL;
        switch_space(NULL);
        interrupts_restore(flags);
        space_release(space);
    }
    interrupts_off();
    u64 flags = sched_lock();
    (void)flags;
    // Children become the reaper's.
    bool orphans = false;
    LIST_EACH(node, &all_tasks) {
        struct task *child = CONTAINER_OF(node, struct task, all);
        if (child->parent == task) {
            child->parent = reaper;
            orphans |= child->state == TASK_ZOMBIE;
        }
    }
    task->exit_code = code;
    task->state = TASK_ZOMBIE;
    struct task *parent = task->parent ? task->parent : reaper;
    for (int i = 0; i < 2; i++) {
        struct task *who = i == 0 ? parent : orphans ? reaper : NULL;
        if (!who) continue;
        for (struct list *node; (node = list_pop(&who->children.tasks));) {
            struct task *waiter = CONTAINER_OF(node, struct task, queue);
            list_remove(&waiter->sleeping);
            sched_ready(waiter, READY_WOKEN);
        }
    }
    sched_switch(); // for the last time: whoever waits for us frees this stack, and can see us only after the switch
    __builtin_unreachable();
}

/** With the lock held: a child that has ended; *any: there are children at all. */
static struct task *zombie_of(struct task *parent, int pid, bool *any) {
    *any = false;
    LIST_EACH(node, &all_tasks) {
        struct task *task = CONTAINER_OF(node, struct task, all);
        if (task->parent != parent || task == parent || (pid >= 0 && task->pid != pid)) continue;
        *any = true;
        if (task->state == TASK_ZOMBIE) return task;
    }
    return NULL;
}

int task_wait(int pid, int *code) {
    struct task *me = current_task(), *child = NULL;
    bool any;
    for (;;) {
        u64 flags = sched_lock();
        child = zombie_of(me, pid, &any);
        if (child) {
            list_remove(&child->all);
            task_count--;
        }
        if (child || !any || me->killed || pid == -2) {
            sched_unlock(flags);
            break;
        }
        wait_locked(&me->children, flags);
    }
    if (!child) return -1;
    int result = child->pid;
    *code = child->exit_code;
    kernel_stack_free(child->stack_top);
    slab_free(&task_cache, child);
    return result;
}

struct task *task_find(int pid) {
    struct task *found = NULL;
    u64 flags = sched_lock();
    LIST_EACH(node, &all_tasks)
        if (CONTAINER_OF(node, struct task, all)->pid == pid && pid > 0) found = CONTAINER_OF(node, struct task, all);
    sched_unlock(flags);
    return found;
}

bool task_kill(int pid) {
    bool found = false;
    u64 flags = sched_lock();
    LIST_EACH(node, &all_tasks) {
        struct task *task = CONTAINER_OF(node, struct task, all);
        if (task->pid != pid || !task->space || task->state == TASK_ZOMBIE) continue;
        found = true;
        task->killed = true;
        if (task->state == TASK_WAITING || task->state == TASK_SLEEPING) {
            list_remove(&task->queue);
            list_remove(&task->sleeping);
            sched_ready(task, READY_WOKEN);
        }
    }
    sched_unlock(flags);
    return found;
}

void task_return_to_user(void) {
    if (current_task()->killed) {
        interrupts_on();
        task_exit(-9);
    }
}

void enter_user(u64 entry, u64 stack, u64 argument) {
    // IRETQ to ring 3: SS, RSP, RFLAGS, CS and RIP from the stack (SDM 3A 6.14.3).
    __asm__ volatile("cli; swapgs\n"
                     "pushq %0; pushq %1; pushq %2; pushq %3; pushq %4\n"
                     "xor %%eax, %%eax; xor %%ebx, %%ebx; xor %%ecx, %%ecx; xor %%edx, %%edx; xor %%esi, %%esi; xor %%ebp, %%ebp\n"
                     "xor %%r8d, %%r8d; xor %%r9d, %%r9d; xor %%r10d, %%r10d; xor %%r11d, %%r11d\n"
                     "xor %%r12d, %%r12d; xor %%r13d, %%r13d; xor %%r14d, %%r14d; xor %%r15d, %%r15d\n"
                     "iretq" ::"i"((u64)USER_DATA), "r"(stack), "i"(RFLAGS_IF | 2), "i"((u64)USER_CODE), "r"(entry), "D"(argument)
                     : "memory");
    __builtin_unreachable();
}

void tasks_print(void) {
    printf("%4s %-16s %-9s %3s %4s %5s %10s %10s %8s\n", "pid", "name", "state", "cpu", "prio", "level", "ran ms", "waited ms", "switches");
    u64 flags = sched_lock();
    LIST_EACH(node, &all_tasks) {
        struct task *t = CONTAINER_OF(node, struct task, all);
        printf("%4d %-16s %-9s %3u %4u %5u %10llu %10llu %8llu\n", t->pid, t->name, state_name(t->state), t->cpu, t->priority, t->level,
               t->run_ns / 1000000, t->ready_ns / 1000000, t->switches);
    }
    sched_unlock(flags);
}
