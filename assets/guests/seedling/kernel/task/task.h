// Tasks: kernel threads and the threads of processes.
#pragma once
#include "cpu/percpu.h"
#include "cpu/trap.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "task/wait.h"
#include "types.h"

#define MAX_FILES 16
#define PRIORITIES 16 // 15 is the most important
#define DEFAULT_PRIORITY 8
struct address_space;
struct file;

enum task_state { TASK_READY, TASK_RUNNING, TASK_WAITING, TASK_SLEEPING, TASK_ZOMBIE };

struct task {
    u64 rsp; // of the kernel stack, while it does not run
    int pid;
    u8 state; // enum task_state
    bool killed;  // ends when it next returns to ring 3 or wakes
    bool copying; // inside copy_from_user or copy_to_user
    bool is_idle;
    char name[24];
    u64 stack_top;
    struct address_space *space; // NULL: a kernel thread
    struct task *parent;
    int exit_code;
    struct list all;   // in the list of all tasks
    struct list queue; // in a ready queue or a wait queue
    struct wait_queue children; // where it waits for one of them to end
    struct file *files[MAX_FILES];

    // Scheduling. Which of these mean something depends on the scheduler.
    u8 priority;       // as set, 0 .. 15
    u8 level;          // as it is now: dynamic priority, or level of the feedback queue
    bool used_quantum; // went to the end of its quantum the last time
    int pinned;        // the only CPU it may run on, -1: any
    u64 quantum;       // ticks left
    u64 burst, burst_guess; // ns of CPU since it last waited; exponential average of that
    u64 virtual_time;  // ns weighted by priority
    struct rb_node by_time;
    u64 wake_at;       // ns, when sleeping
    struct list sleeping;

    // Accounting.
    u64 run_ns, ready_since, ready_ns, switches, started;
    u32 cpu;
};

extern struct list all_tasks; // the workstation's lens starts here
extern unsigned task_count;

void task_init(void);
void task_start_reaper(void);
/** A kernel thread; NULL: no memory. It runs when the scheduler says so. */
struct task *task_create(const char *name, void (*function)(void *), void *argument);
/** The same, allowed on one CPU only. */
struct task *task_create_on(unsigned cpu, const char *name, void (*function)(void *), void *argument);
/** A copy of the current process; `frame` is its registers, of which the copy sees 0 in RAX. Its pid, or negative. */
int task_fork(struct trap_frame *frame);
/** A further thread in the current address space. */
int task_thread(struct trap_frame *frame, u64 entry, u64 stack, u64 argument);
NORETURN void task_exit(int code);
/** Waits until a child has ended (pid -1: any; -2: any, but without waiting); its pid, or -1 if there is none. */
int task_wait(int pid, int *code);
/** Ends a process, when it next can. Kernel threads cannot be killed. False: no such process. */
bool task_kill(int pid);
void task_sleep(u64 ns);
void task_yield(void);
/** The last thing before going back to ring 3. */
void task_return_to_user(void);
void tasks_print(void);
struct task *task_find(int pid);
NORETURN void enter_user(u64 entry, u64 stack, u64 argument);
/** The idle task of a CPU is what started it. */
void task_adopt_idle(void);
