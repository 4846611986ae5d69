// From the entry code to the first process. Read this file first: it is the table of contents.
#include "boot-info.h"
#include "boot-line.h"
#include "console/console.h"
#include "console/keyboard.h"
#include "console/serial.h"
#include "cpu/cpu.h"
#include "cpu/gdt.h"
#include "cpu/percpu.h"
#include "cpu/smp.h"
#include "cpu/trap.h"
#include "dev/acpi.h"
#include "dev/ata.h"
#include "dev/debug-port.h"
#include "dev/pci.h"
#include "dev/power.h"
#include "fs/block.h"
#include "fs/vfs.h"
#include "irq/irq.h"
#include "irq/lapic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/paging.h"
#include "mm/shootdown.h"
#include "mm/slab.h"
#include "monitor.h"
#include "net/net.h"
#include "panic.h"
#include "proc/exec.h"
#include "proc/syscalls.h"
#include "task/sched.h"
#include "task/task.h"
#include "test/selftest.h"
#include "time/clock.h"

/** The disks, the initrd and what is mounted where. */
static void mount_everything(void) {
    ram_disk_init(frames_free() > 4096 ? 256 * KIB : 16 * KIB);
    ata_init();
    struct superblock *initrd = boot_info.initrd_size ? ustar_mount(direct(boot_info.initrd), boot_info.initrd_size) : NULL;
    if (!initrd) printf("initrd: none\n");
    vfs_mount("/", initrd);
    vfs_mount("/dev", devices_mount());
    // The first partition that has one.
    for (unsigned i = 0; i < block_device_count; i++) {
        struct block_device *device = block_devices[i];
        if (device->start && vfs_mount("/disk", ext2_mount(device))) break;
    }
}

/** The first task: everything that may wait, then what the boot line asks for. */
static void init(void *nothing) {
    (void)nothing;
    task_start_reaper();
    keyboard_init();
    serial_enable_input();
    pci_init();
    vfs_init();
    mount_everything();
    net_init();
    printf("%u CPU%s, %llu MiB, frames by %s, %s, tick by %s at %llu Hz, scheduler %s, up in %llu ms\n", cpus_online(), cpus_online() == 1 ? "" : "s",
           frames_total() / 256, frames_allocator_name(), irq_uses_apic() ? "APICs" : "8259A", clock_tick_source(), boot_options.hz, sched_name(),
           clock_ns() / 1000000);

    for (char *next, *command = boot_options.run; *command; command = next) {
        for (next = command; *next && *next != ';'; next++) {}
        if (*next) *next++ = 0;
        if (!strcmp(command, "selftest")) {
            printf(selftest_run() ? "SEEDLING-OK\n" : "SEEDLING-FAILED\n");
            power_off();
        }
        if (strcmp(command, "shell") && !monitor_run(command)) printf("boot line: run=%s is no command\n", command);
    }
    for (;;) {
        char path[32];
        format(path, sizeof path, "%s/bin/shell", strcmp(boot_options.root, "/") ? boot_options.root : "");
        int code, pid = process_start(path, "shell");
        if (pid < 0 || task_wait(pid, &code) < 0 || code == 0) {
            printf("no shell at %s (or it has ended): the kernel takes its commands itself\n", path);
            monitor_loop();
        }
    }
}

void kernel_main(u32 magic, u64 information) {
    gdt_load(&cpus[0]); // and GS: from here on there is a "this CPU"
    idt_init();
    idt_load();
    console_init_early();
    boot_info_read(magic, information);
    printf("\nSeedling, by %s\n", boot_info.loader);
    printf("boot line: %s\n", boot_info.line);
    boot_line_parse(boot_info.line);
    debug_port_init();
    shootdown_forget = boot_options.forget_ipi;

    frames_init_early();
    paging_init();
    frames_init();
    slab_init();
    console_init_framebuffer();

    task_init();
    sched_init();
    task_adopt_idle(); // what runs here becomes the first CPU's idle task
    acpi_init();
    irq_init();
    clock_init();
    this_cpu()->slice_start = clock_ns(); // what passed before was counted by another clock
    shootdown_init();
    syscalls_init();
    syscall_init_cpu();
    clock_start();
    interrupts_on();
    smp_init();

    task_create("init", init, NULL);
    idle_loop();
}
