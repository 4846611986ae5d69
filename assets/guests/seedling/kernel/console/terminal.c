#include "console/terminal.h"
#include "console/console.h"
#include "cpu/spinlock.h"
#include "lib/printf.h"
#include "task/task.h"
#include "task/wait.h"

#define SIZE 1024

static struct spinlock lock = SPINLOCK("terminal");
static char ring[SIZE];            // [taken, complete): whole lines; [complete, end): the one being typed
static volatile u32 taken, complete, end;
static WAIT_QUEUE(readers);
static volatile int foreground;

void terminal_set_foreground(int pid) { foreground = pid; }

void terminal_input(char c) {
    if (c == 3) { // Ctrl-C
        printf("^C\n");
        u64 flags = spin_lock(&lock);
        end = complete;
        spin_unlock(&lock, flags);
        if (foreground) task_kill(foreground);
        return;
    }
    if (c == '\r') c = '\n';
    if (c == 127) c = '\b';
    bool line = false;
    u64 flags = spin_lock(&lock);
    if (c == '\b') {
        if (end != complete) {
            end--;
            spin_unlock(&lock, flags);
            printf("\b \b");
            return;
        }
        c = 0;
    } else if (c == 4 || c == '\n') { // Ctrl-D ends a line without a newline; an empty one means end of file
        if (end - taken < SIZE) {
            ring[end++ % SIZE] = c;
            complete = end;
            line = true;
        }
    } else if ((u8)c >= ' ' && end - taken < SIZE - 2) ring[end++ % SIZE] = c; // the last two are for the end of the line
    else c = 0;
    spin_unlock(&lock, flags);
    if (c && c != 4) console_write(&c, 1);
    if (line) wake_all(&readers);
}

size_t terminal_read(char *buffer, size_t size) {
    for (;;) {
        WAIT_UNTIL(&readers, taken != complete || current_task()->killed);
        if (current_task()->killed) return 0;
        u64 flags = spin_lock(&lock);
        if (taken == complete) { // somebody else was faster
            spin_unlock(&lock, flags);
            continue;
        }
        size_t length = 0;
        while (length < size && taken != complete) {
            char c = ring[taken++ % SIZE];
            if (c == 4) break;
            buffer[length++] = c;
            if (c == '\n') break;
        }
        spin_unlock(&lock, flags);
        return length;
    }
}
