#include "cpu/smp.h"
#include "boot-line.h"
#include "cpu/cpu.h"
#include "cpu/gdt.h"
#include "cpu/percpu.h"
#include "cpu/trap.h"
#include "dev/acpi.h"
#include "irq/lapic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/paging.h"
#include "mm/shootdown.h"
#include "panic.h"
#include "task/sched.h"
#include "task/task.h"
#include "time/clock.h"

#define START_PAGE 0x8000ull

extern const u8 ap_start[], ap_start_end[];
extern const u32 efer_nxe;

struct cpu cpus[MAX_CPUS];
unsigned cpu_count = 1;

unsigned cpus_online(void) {
    unsigned online = 0;
    for (unsigned i = 0; i < cpu_count; i++) online += cpus[i].online;
    return online;
}

void idle_loop(void) {
    for (;;) {
        interrupts_off();
        if (run_queue.count || this_cpu()->need_resched) schedule();
        if (!run_queue.count) wait_for_interrupt();
        else interrupts_on(), pause_cpu(); // somebody is ready, but pinned elsewhere
    }
}

static void ap_main(struct cpu *cpu) {
    gdt_load(cpu);
    idt_load();
    paging_init_cpu();
    lapic_init_cpu();
    syscall_init_cpu();
    task_adopt_idle();
    __atomic_store_n(&cpu->online, true, __ATOMIC_SEQ_CST);
    clock_start_cpu();
    idle_loop();
}

static bool wait_online(struct cpu *cpu, u64 ns) {
    for (u64 until = clock_ns() + ns; !cpu->online && clock_ns() < until;) pause_cpu();
    return cpu->online;
}

/** SDM 3A 8.4.4.1: INIT, 10 ms, STARTUP, 200 us, STARTUP again. */
static bool start(struct cpu *cpu) {
    u64 stack = kernel_stack_allocate();
    if (!stack) return false;
    const u64 patience = MIN(500, boot_options.patience) * 1000000;
    u64 *mailbox = direct(START_PAGE + 0xFE0);
    mailbox[0] = kernel_pml4;
    mailbox[1] = stack - 16;
    mailbox[2] = (u64)cpu;
    mailbox[3] = (u64)ap_main;
    barrier();
    if (cpu->apic_id == boot_options.deaf) return wait_online(cpu, patience);
    lapic_send_init(cpu->apic_id);
    clock_delay(10000000);
    lapic_send_startup(cpu->apic_id, START_PAGE >> PAGE_SHIFT);
    if (wait_online(cpu, 200000)) return true;
    lapic_send_startup(cpu->apic_id, START_PAGE >> PAGE_SHIFT);
    return wait_online(cpu, patience);
}

void smp_init(void) {
    cpus[0].online = true;
    if (!lapic_present() || acpi.cpu_count <= 1) return;
    memcpy(direct(START_PAGE), ap_start, (u64)(ap_start_end - ap_start));
    *(u32 *)direct(START_PAGE + (u64)((const u8 *)&efer_nxe - ap_start)) = page_nx ? EFER_NXE : 0;
    // While it turns paging on, a CPU must find its code at the address it runs at: page 8 is mapped to itself.
    if (!map_page(kernel_pml4, START_PAGE, START_PAGE, PAGE_WRITE)) return;
    for (unsigned i = 0; i < acpi.cpu_count && cpu_count < MIN(boot_options.cpus, MAX_CPUS); i++) {
        if (acpi.cpu_apic_ids[i] == cpus[0].apic_id) continue;
        struct cpu *cpu = &cpus[cpu_count];
        cpu->index = cpu_count++;
        cpu->apic_id = acpi.cpu_apic_ids[i];
        if (start(cpu)) continue;
        printf("smp: the CPU with APIC ID %u does not answer: going on without it\n", cpu->apic_id);
        // It keeps its stack and its number: should it wake up late, it must not find them used by another.
    }
    *page_slot(kernel_pml4, START_PAGE, false) = 0;
    shootdown(NULL, START_PAGE, 1);
}

void cpus_print(void) {
    printf("%3s %4s %-7s %-20s %8s %9s %8s\n", "cpu", "APIC", "state", "runs", "ticks", "switches", "idle ms");
    for (unsigned i = 0; i < cpu_count; i++) {
        struct cpu *c = &cpus[i];
        printf("%3u %4u %-7s %-20s %8llu %9llu %8llu\n", i, c->apic_id, c->online ? "online" : "silent", c->current ? c->current->name : "-", c->ticks,
               c->switches, c->idle_ns / 1000000);
    }
    clock_print();
    printf("TLB shootdowns: %llu with %llu IPIs, %llu forgotten\n", shootdowns, shootdown_ipis, shootdowns_forgotten);
}
