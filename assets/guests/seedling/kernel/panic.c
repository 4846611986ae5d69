#include "panic.h"
#include "boot-line.h"
#include "console/console.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/trap.h"
#include "dev/power.h"
#include "irq/lapic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "symbols.h"
#include "task/task.h"

static volatile u32 panicking; // CPU index + 1
unsigned bug_count;

bool panic_stops_this_cpu(void) { return panicking && panicking != this_cpu()->index + 1; }

static void end(void) {
    if (!strcmp(boot_options.panic, "off")) power_off();
    if (!strcmp(boot_options.panic, "reboot")) reboot();
    printf("All CPUs are stopped.\n");
    stop_cpu();
}

/** The first to come wins; a panic inside a panic says only that. */
static void begin(void) {
    interrupts_off();
    u32 me = this_cpu()->index + 1, nobody = 0;
    if (!__atomic_compare_exchange_n(&panicking, &nobody, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        if (nobody != me) stop_cpu();
        console_break_lock();
        printf("\n(another panic while panicking)\n");
        stop_cpu();
    }
    lapic_stop_others();
    console_break_lock();
}

static void headline(const char *format, va_list arguments) {
    console_color(0x4F);
    printf("\nPANIC on CPU %u", this_cpu()->index);
    if (current_task()) printf(", task %d %s", current_task()->pid, current_task()->name);
    printf(": ");
    vprintf(format, arguments);
    console_color(0x07);
    printf("\n");
}

void panic(const char *format, ...) {
    begin();
    va_list arguments;
    va_start(arguments, format);
    headline(format, arguments);
    va_end(arguments);
    print_backtrace((u64)__builtin_frame_address(0));
    end();
    stop_cpu();
}

void panic_frame(const struct trap_frame *frame, const char *format, ...) {
    begin();
    va_list arguments;
    va_start(arguments, format);
    headline(format, arguments);
    va_end(arguments);
    print_registers(frame);
    printf("  %p %s\n", (void *)frame->rip, symbol_text(frame->rip));
    print_backtrace_from(frame->rbp);
    end();
    stop_cpu();
}

void report_bug(const char *format, ...) {
    __atomic_fetch_add(&bug_count, 1, __ATOMIC_RELAXED);
    va_list arguments;
    va_start(arguments, format);
    printf("BUG: ");
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    print_backtrace((u64)__builtin_frame_address(0));
}
