#include "proc/syscalls.h"
#include "../abi.h"
#include "console/console.h"
#include "console/terminal.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/address-space.h"
#include "monitor.h"
#include "panic.h"
#include "proc/exec.h"
#include "task/sched.h"
#include "task/task.h"
#include "time/clock.h"

u64 syscall_counts[32];

// ---- the user's memory. Every pointer is checked against the regions of its address space before it is touched; the
// page-fault handler fills in what is not there yet, and ends the process should a region vanish meanwhile.

static bool copy_from_user(void *to, u64 from, u64 size) {
    struct task *task = current_task();
    if (!space_allows(task->space, from, size, false)) return false;
    task->copying = true;
    memcpy(to, (const void *)from, size);
    task->copying = false;
    return true;
}

static bool copy_to_user(u64 to, const void *from, u64 size) {
    struct task *task = current_task();
    if (!space_allows(task->space, to, size, true)) return false;
    task->copying = true;
    memcpy((void *)to, from, size);
    task->copying = false;
    return true;
}

/** A string of fewer than `size` characters. */
static bool string_from_user(char *to, u64 from, u64 size) {
    for (u64 i = 0; i < size; i++) {
        // One region check a page, not a character.
        if ((i == 0 || (from + i) % PAGE_SIZE == 0) && !space_allows(current_task()->space, from + i, 1, false)) return false;
        current_task()->copying = true;
        to[i] = *(const volatile char *)(from + i);
        current_task()->copying = false;
        if (!to[i]) return true;
    }
    return false;
}

// ---- the calls

static struct file **file_slot(u64 fd) {
    struct task *task = current_task();
    return fd >= 3 && fd < MAX_FILES && task->files[fd] ? &task->files[fd] : NULL;
}

static s64 sys_write(u64 fd, u64 buffer, u64 size) {
    char chunk[256];
    struct file **file = file_slot(fd);
    if (fd > 2 && !file) return -1;
    u64 done = 0;
    while (done < size && !current_task()->killed) {
        u64 count = MIN(size - done, sizeof chunk);
        if (!copy_from_user(chunk, buffer + done, count)) return done ? (s64)done : -1;
        if (!file) console_write(chunk, count);
        else if (file_write(*file, chunk, count) != (s64)count) return done ? (s64)done : -1;
        done += count;
    }
    return (s64)done;
}

static s64 sys_read(u64 fd, u64 buffer, u64 size) {
    char chunk[512];
    struct file **file = file_slot(fd);
    if (fd == 0) {
        size_t count = terminal_read(chunk, MIN(size, sizeof chunk));
        return copy_to_user(buffer, chunk, count) ? (s64)count : -1;
    }
    if (!file) return -1;
    u64 done = 0;
    while (done < size) {
        s64 count = file_read(*file, chunk, MIN(size - done, sizeof chunk));
        if (count < 0) return done ? (s64)done : -1;
        if (count == 0) break;
        if (!copy_to_user(buffer + done, chunk, (u64)count)) return -1;
        done += (u64)count;
    }
    return (s64)done;
}

static s64 sys_open(u64 path) {
    char name[128];
    if (!string_from_user(name, path, sizeof name)) return -1;
    struct task *task = current_task();
    for (unsigned fd = 3; fd < MAX_FILES; fd++) {
        if (task->files[fd]) continue;
        task->files[fd] = file_open(name);
        return task->files[fd] ? (s64)fd : -1;
    }
    return -1;
}

static s64 sys_close(u64 fd) {
    struct file **file = file_slot(fd);
    if (!file) return -1;
    file_close(*file);
    *file = NULL;
    return 0;
}

static s64 sys_exec(struct trap_frame *frame) {
    char path[128], arguments[512];
    if (!string_from_user(path, frame->rdi, sizeof path) || !string_from_user(arguments, frame->rsi, sizeof arguments)) return -1;
    return process_exec(frame, path, arguments);
}

static s64 sys_wait(s64 pid, u64 code_address) {
    int code = 0, child = task_wait((int)pid, &code);
    if (child >= 0 && code_address && !copy_to_user(code_address, &code, sizeof code)) return -1;
    return child;
}

static s64 sys_map(u64 size) {
    struct address_space *space = current_task()->space;
    size = ALIGN_UP(size, PAGE_SIZE);
    if (size == 0 || size > 64 * GIB) return -1;
    u64 at = space_find_gap(space, size);
    if (!at || !space_add_region(space, (struct region){.start = at, .end = at + size, .flags = REGION_WRITE, .name = "mapped"})) return -1;
    return (s64)at;
}

static s64 sys_unmap(u64 address, u64 size) {
    u64 end = ALIGN_UP(address + size, PAGE_SIZE);
    if (address % PAGE_SIZE || end <= address || end > USER_TOP) return -1;
    space_unmap(current_task()->space, address, end);
    return 0;
}

static s64 sys_kernel(u64 text) {
    char line[256];
    return string_from_user(line, text, sizeof line) && monitor_run(line) ? 0 : -1;
}

static s64 sys_readdir(u64 path, u64 index, u64 out) {
    char name[128];
    struct directory_entry entry;
    if (!string_from_user(name, path, sizeof name)) return -1;
    struct dentry *dentry = vfs_lookup(name);
    if (!dentry) return -1;
    if (!vfs_entry(dentry, index, &entry)) return 0;
    return copy_to_user(out, &entry, sizeof entry) ? 1 : -1;
}

static s64 sys_priority(u64 pid, u64 priority) {
    if (priority >= PRIORITIES) return -1;
    struct task *task = pid ? task_find((int)pid) : current_task();
    if (!task) return -1;
    task->priority = (u8)priority;
    return 0;
}

static s64 call(struct trap_frame *f) {
    switch (f->rax) {
    case SYS_EXIT: task_exit((int)f->rdi);
    case SYS_WRITE: return sys_write(f->rdi, f->rsi, f->rdx);
    case SYS_READ: return sys_read(f->rdi, f->rsi, f->rdx);
    case SYS_OPEN: return sys_open(f->rdi);
    case SYS_CLOSE: return sys_close(f->rdi);
    case SYS_FORK: return task_fork(f);
    case SYS_EXEC: return sys_exec(f);
    case SYS_WAIT: return sys_wait((s64)f->rdi, f->rsi);
    case SYS_SLEEP: return task_sleep(MIN(f->rdi, 1000000000) * 1000000), 0;
    case SYS_YIELD: return task_yield(), 0;
    case SYS_GETPID: return current_task()->pid;
    case SYS_MAP: return sys_map(f->rdi);
    case SYS_UNMAP: return sys_unmap(f->rdi, f->rsi);
    case SYS_KERNEL: return sys_kernel(f->rdi);
    case SYS_READDIR: return sys_readdir(f->rdi, f->rsi, f->rdx);
    case SYS_TIME: return (s64)clock_ns();
    case SYS_THREAD:
        if (f->rdi >= USER_TOP || f->rsi >= USER_TOP) return -1;
        return task_thread(f, f->rdi, f->rsi, f->rdx);
    case SYS_PRIORITY: return sys_priority(f->rdi, f->rsi);
    case SYS_FOREGROUND: return terminal_set_foreground((int)f->rdi), 0;
    case SYS_KILL: return task_kill((int)f->rdi) ? 0 : -1;
    case SYS_CPU: return this_cpu()->index;
    default: return -1;
    }
}

/** From SYSCALL (interrupts are on already) and from INT 80h. */
void syscall_dispatch(struct trap_frame *frame) {
    u64 number = frame->rax;
    if (number < COUNT_OF(syscall_counts)) __atomic_fetch_add(&syscall_counts[number], 1, __ATOMIC_RELAXED);
    s64 result = call(frame);
    // exec has replaced the frame, whose RAX is then the new program's.
    if (number != SYS_EXEC || result) frame->rax = (u64)result;
    if (!(read_flags() & RFLAGS_IF)) {
        report_bug("unbalanced interrupts: system call %llu of %s returns with interrupts off", number, current_task()->name);
        interrupts_on();
    }
    task_return_to_user();
}

static void int80(struct trap_frame *frame) {
    interrupts_on();
    syscall_dispatch(frame);
    interrupts_off();
}

void syscalls_init(void) { trap_handle(VECTOR_SYSCALL, int80); }
