#include "test/selftest.h"
#include "cpu/smp.h"
#include "dev/debug-port.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "panic.h"
#include "task/sched.h"
#include "time/clock.h"

static const struct part { const char *name; selftest run; } parts[] = {
    {"strings", test_strings},
    {"rbtree", test_rbtree},
    {"bitmap", test_bitmap},
    {"buddy", test_buddy},
    {"slab", test_slab},
    {"paging", test_paging},
    {"copy-on-write", test_copy_on_write},
    {"clock", test_clock},
    {"interrupts", test_interrupts},
    {"smp", test_smp},
    {"shootdown", test_shootdown},
    {"tasks", test_tasks},
    {"schedulers", test_schedulers},
    {"async", test_async},
    {"storage", test_storage},
    {"ext2", test_ext2},
    {"net", test_net},
    {"user", test_user},
};

static bool run(const struct part *part) {
    char remark[120] = "";
    u64 start = clock_ns();
    debug_port_event(part->name, 0, 0);
    const char *wrong = part->run(remark, sizeof remark);
    debug_port_event(part->name, 1, wrong != NULL);
    if (!wrong) wrong = frames_check();
    printf("selftest %-14s %s%s%s%s (%llu ms)\n", part->name, wrong ? "FAILED: " : "ok", wrong ? wrong : "", *remark ? ", " : "", remark,
           (clock_ns() - start) / 1000000);
    return !wrong;
}

bool selftest_part(const char *name) {
    for (unsigned i = 0; i < COUNT_OF(parts); i++)
        if (!strcmp(parts[i].name, name)) return run(&parts[i]);
    printf("parts:");
    for (unsigned i = 0; i < COUNT_OF(parts); i++) printf(" %s", parts[i].name);
    printf("\n");
    return false;
}

bool selftest_run(void) {
    unsigned failed = 0, bugs = bug_count;
    for (unsigned i = 0; i < COUNT_OF(parts); i++) failed += !run(&parts[i]);
    printf("selftest: %u parts, %u failed, %u CPU%s\n", (unsigned)COUNT_OF(parts), failed, cpus_online(), cpus_online() == 1 ? "" : "s");
    return !failed && bug_count == bugs;
}
