// The end: what is known, on every console, and all CPUs stopped.
#pragma once
#include "types.h"
struct trap_frame;

NORETURN void panic(const char *format, ...) PRINTF(1, 2);
NORETURN void panic_frame(const struct trap_frame *frame, const char *format, ...) PRINTF(2, 3);
/** Another CPU has panicked and this one has to stop. */
bool panic_stops_this_cpu(void);
/** Something is wrong that the kernel can survive: says so with a back-trace and counts it. */
void report_bug(const char *format, ...) PRINTF(1, 2);
extern unsigned bug_count;

#define ASSERT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) panic("%s:%d: %s does not hold", __FILE_NAME__, __LINE__, #condition);                       \
    } while (0)
