#include "monitor.h"
#include "boot-info.h"
#include "boot-line.h"
#include "console/console.h"
#include "console/terminal.h"
#include "cpu/cpu.h"
#include "cpu/smp.h"
#include "dev/acpi.h"
#include "dev/pci.h"
#include "dev/power.h"
#include "fs/block.h"
#include "fs/vfs.h"
#include "irq/irq.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/address-space.h"
#include "mm/frames.h"
#include "mm/shootdown.h"
#include "mm/slab.h"
#include "net/net.h"
#include "panic.h"
#include "proc/syscalls.h"
#include "task/sched.h"
#include "task/task.h"
#include "test/demos.h"
#include "test/faults.h"
#include "test/selftest.h"
#include "time/clock.h"

static void help(const char *arguments);
static void ps(const char *a) { (void)a, tasks_print(); }
static void mem(const char *a) { (void)a, memory_print(); }
static void frames_command(const char *a) { (void)a, frames_print(); }
static void slab(const char *a) { (void)a, slab_print(); }
static void irq(const char *a) { (void)a, irq_print(); }
static void cpus_command(const char *a) { (void)a, cpus_print(); }
static void pci(const char *a) { (void)a, pci_print(); }
static void acpi_command(const char *a) { (void)a, acpi_print(); }
static void net(const char *a) { (void)a, net_print(); }
static void off(const char *a) { (void)a, power_off(); }
static void reboot_command(const char *a) { (void)a, reboot(); }
static void mounts(const char *a) {
    (void)a;
    mounts_print();
    block_print();
}

static void vm(const char *arguments) {
    u64 pid;
    struct task *task = parse_number(arguments, &pid) ? task_find((int)pid) : NULL;
    if (!task) printf("usage: vm PID (ps lists them)\n");
    else if (!task->space) printf("%d %s is a kernel thread: it has no address space of its own\n", task->pid, task->name);
    else space_print(task->space);
}

static void sched(const char *arguments) {
    if (*arguments && !sched_select(arguments)) printf("no scheduler '%s'\n", arguments);
    sched_print();
}

static void selftest_command(const char *arguments) {
    if (*arguments) selftest_part(arguments);
    else printf(selftest_run() ? "SEEDLING-OK\n" : "SEEDLING-FAILED\n");
}

static void syscalls(const char *a) {
    (void)a;
    for (unsigned i = 0; i < COUNT_OF(syscall_counts); i++)
        if (syscall_counts[i]) printf("%2u: %llu\n", i, syscall_counts[i]);
}

static const struct command { const char *name; void (*run)(const char *arguments); const char *help; } commands[] = {
    {"help", help, "this list"},
    {"ps", ps, "tasks"},
    {"mem", mem, "the memory map"},
    {"frames", frames_command, "the frame allocator"},
    {"slab", slab, "the slab caches"},
    {"vm", vm, "PID: an address space"},
    {"irq", irq, "interrupts"},
    {"cpus", cpus_command, "processors, clocks, shootdowns"},
    {"sched", sched, "[NAME]: show or change the scheduler"},
    {"pci", pci, "PCI devices"},
    {"acpi", acpi_command, "what ACPI says"},
    {"mounts", mounts, "file systems and disks"},
    {"net", net, "the network"},
    {"syscalls", syscalls, "how often each was called"},
    {"stress", demo_stress, "[N]: allocate and free, N times, on all CPUs"},
    {"shootdown", demo_shootdown, "[N] [forget]: unmap N times while the other CPUs look; forget the IPI"},
    {"storm", demo_storm, "[N]: N interrupts to oneself and to the other CPUs"},
    {"async", demo_async, "futures on one stack"},
    {"mix", demo_mix, "[SECONDS]: sleepers and crunchers under the current scheduler"},
    {"selftest", selftest_command, "[PART]: all parts' tests, or one's"},
    {"fault", fault_command, "KIND: go wrong on purpose (fault alone lists the kinds)"},
    {"reboot", reboot_command, "start again"},
    {"off", off, "switch off"},
};

static void help(const char *arguments) {
    (void)arguments;
    for (unsigned i = 0; i < COUNT_OF(commands); i++) printf("  %-10s %s\n", commands[i].name, commands[i].help);
}

bool monitor_run(const char *line) {
    char word[32];
    if (!next_word(&line, word, sizeof word)) return true;
    while (*line == ' ') line++;
    for (unsigned i = 0; i < COUNT_OF(commands); i++)
        if (!strcmp(commands[i].name, word)) {
            commands[i].run(line);
            if (!(read_flags() & RFLAGS_IF)) {
                report_bug("unbalanced interrupts: the command '%s' has left them off; turning them on", word);
                interrupts_on();
            }
            return true;
        }
    return false;
}

void monitor_loop(void) {
    char line[256];
    for (;;) {
        printf("kernel> ");
        size_t length = terminal_read(line, sizeof line - 1);
        line[length] = 0;
        if (length && line[length - 1] == '\n') line[length - 1] = 0;
        if (!monitor_run(line)) printf("no command '%s' (try help)\n", line);
    }
}
