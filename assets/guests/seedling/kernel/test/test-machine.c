// Tests of interrupts, time, processors, tasks and schedulers.
#include "boot-line.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/smp.h"
#include "cpu/spinlock.h"
#include "cpu/trap.h"
#include "irq/irq.h"
#include "irq/lapic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/shootdown.h"
#include "task/async.h"
#include "task/sched.h"
#include "task/task.h"
#include "test/demos.h"
#include "test/selftest.h"
#include "time/clock.h"
#include "time/hpet.h"

/** Compares two clocks: the tick's and the TSC, both measured with the same PIT. They may differ by 1 %, by the error that
 * clock_init knows of, and by three ticks: at both ends, and one that is late. */
const char *test_clock(char *remark, size_t size) {
    u64 ticked = 0, expected = 0, permille = 10 + clock_error_permille();
    bool good = false;
    // An emulator whose host is busy delivers ticks late, in heaps, or never. What it owes gets small beside a longer trial; a
    // clock that is wrong is wrong in all of them.
    for (u64 ns = 100000000; ns <= 3200000000 && !good; ns *= 2) {
        u64 ticks = clock_ticks(), start = clock_ns();
        task_sleep(ns);
        u64 slept = clock_ns() - start;
        if (slept < ns) return "a sleep was too short";
        ticked = clock_ticks() - ticks;
        expected = slept / 1000000 * boot_options.hz / 1000;
        u64 tolerance = expected * permille / 1000 + 3;
        good = ticked > 0 && ticked <= expected + tolerance && ticked + tolerance >= expected;
    }
    if (!good) return !ticked ? "the clock does not tick" : ticked > expected ? "the tick is too fast" : "the tick is too slow";

    // And a third one, if there is one: read between two looks at the TSC, so that the error shows when we are held up.
    s64 apart = 0;
    bool hpet = hpet_run(true);
    good = !hpet;
    for (int tries = 0; tries < 20 && !good; tries++) {
        u64 early = clock_ns(), counted = hpet_ns(), late = clock_ns();
        clock_delay(20000000);
        u64 early_end = clock_ns();
        counted = hpet_ns() - counted;
        u64 late_end = clock_ns(), error = (late - early + late_end - early_end) / 2, passed = (early_end + late_end - early - late) / 2;
        apart = (s64)(counted - passed);
        good = error < passed / 100 && (u64)(apart < 0 ? -apart : apart) <= passed * permille / 1000 + error;
    }
    hpet_run(false);
    format(remark, size, "tick by %s, %llu of %llu ticks, TSC %llu MHz, HPET %s", clock_tick_source(), ticked, expected, clock_tsc_hz() / 1000000,
           hpet ? "agrees" : "missing");
    if (good) return NULL;
    format(remark, size, "%lld us in 20 ms, TSC %llu MHz", (long long)apart / 1000, clock_tsc_hz() / 1000000);
    return "HPET and TSC disagree";
}

static volatile u64 taken;
static void count_one(struct trap_frame *frame) {
    (void)frame;
    taken++;
    lapic_eoi();
}

const char *test_interrupts(char *remark, size_t size) {
    if (!(read_flags() & RFLAGS_IF)) return "interrupts are off";
    u64 flags = interrupts_save();
    bool off = !(read_flags() & RFLAGS_IF);
    interrupts_restore(flags);
    if (!off) return "interrupts_save leaves them on";
    char text[64];
    describe_error(14, 6, text, sizeof text);
    if (strcmp(text, "not present, write, ring 3")) return "an error code is decoded wrongly";
    if (cpus[0].interrupts[VECTOR_IRQ0] + cpus[0].interrupts[VECTOR_LAPIC_TIMER] == 0) return "no timer interrupt has come";
    // Each interrupt that is sent is taken once.
    enum { SENT = 100 };
    taken = 0;
    trap_handle(VECTOR_STORM, count_one);
    for (u64 i = 0; lapic_present() && i < SENT; i++) {
        flags = interrupts_save(); // so as to be on the CPU that it is for
        lapic_send(this_cpu()->apic_id, VECTOR_STORM);
        interrupts_restore(flags);
        for (u64 until = clock_ns() + 1000000000; taken == i && clock_ns() < until;) pause_cpu();
        if (taken != i + 1) return "an interrupt to oneself was not taken, or twice";
    }
    format(remark, size, "%s, %llu to oneself", irq_uses_apic() ? "IOAPIC" : "8259A", taken);
    return NULL;
}

// ---- all CPUs count under one lock

static struct { struct spinlock lock; u64 count; volatile u32 left, seen; } counter = {.lock = SPINLOCK("test counter")};

static void count_up(void *times) {
    __atomic_fetch_or(&counter.seen, 1u << this_cpu()->index, __ATOMIC_RELAXED);
    for (u64 i = 0; i < (u64)times; i++) {
        u64 flags = spin_lock(&counter.lock);
        counter.count = counter.count + 1;
        spin_unlock(&counter.lock, flags);
    }
    __atomic_fetch_sub(&counter.left, 1, __ATOMIC_RELEASE);
}

const char *test_smp(char *remark, size_t size) {
    u32 online = 0;
    counter.count = counter.seen = 0;
    counter.left = 0;
    for (u32 i = 0; i < cpu_count; i++) {
        if (!cpus[i].online) continue;
        online |= 1u << i;
        __atomic_fetch_add(&counter.left, 1, __ATOMIC_RELAXED);
        if (!task_create_on(i, "count", count_up, (void *)2000)) return "no memory";
    }
    while (counter.left) task_sleep(1000000);
    if (counter.seen != online) return "a task that is pinned to a CPU ran on another";
    if (counter.count != 2000ull * cpus_online()) return "a spinlock let two in";
    format(remark, size, "%u of %u CPUs, %llu waits for the lock", cpus_online(), cpu_count, counter.lock.contended);
    return NULL;
}

const char *test_shootdown(char *remark, size_t size) {
    u64 unmappings, stale = shootdown_trial(boot_options.unmappings, false, &unmappings);
    if (unmappings != boot_options.unmappings) return "no memory";
    u64 few, forgotten = shootdown_trial(MIN(boot_options.unmappings, 100), true, &few);
    format(remark, size, "%llu unmappings, %llu stale uses; %llu without the IPI: %llu", unmappings, stale, few, forgotten);
    if (stale) return "a CPU used a translation that had been shot down";
    // If nobody sees an old page even then, nobody looks.
    return cpus_online() > 1 && !forgotten ? "nobody noticed that the IPI was forgotten" : NULL;
}

// ---- tasks

static struct { struct wait_queue queue; volatile bool flag; volatile u32 order[4], next; } meeting;

static void waiter(void *me) {
    WAIT_UNTIL(&meeting.queue, meeting.flag);
    meeting.order[__atomic_fetch_add(&meeting.next, 1, __ATOMIC_SEQ_CST)] = (u32)(u64)me;
}

const char *test_tasks(char *remark, size_t size) {
    wait_queue_init(&meeting.queue);
    meeting.flag = false;
    meeting.next = 0;
    for (u64 i = 0; i < 4; i++)
        if (!task_create("waiter", waiter, (void *)i)) return "no memory";
    task_sleep(30000000);
    if (meeting.next) return "a task did not wait";
    meeting.flag = true;
    wake_all(&meeting.queue);
    for (int i = 0; i < 200 && meeting.next < 4; i++) task_sleep(10000000);
    if (meeting.next != 4) return "a task was not woken";
    u32 seen = 0;
    for (int i = 0; i < 4; i++) seen |= 1u << meeting.order[i];
    if (seen != 15) return "a task was woken twice";
    volatile bool never = false;
    u64 start = clock_ns();
    if (wait_for_ns(&meeting.queue, &never, 20000000) || clock_ns() - start < 20000000) return "waiting with a time limit";
    format(remark, size, "%llu switches so far", context_switches);
    return NULL;
}

// ---- schedulers: what each promises, on one CPU

static struct { u64 ran[2], turns[2]; u32 sank[2], rose[2]; volatile bool started; volatile u64 until; volatile u32 left; volatile u32 order[3], next; } race;

static void run_until(void *me) {
    while (clock_ns() < race.until) {}
    u64 flags = interrupts_save();
    race.ran[(u64)me] = current_task()->run_ns + (clock_ns() - this_cpu()->slice_start);
    interrupts_restore(flags);
    race.turns[(u64)me] = current_task()->switches;
    // Where the feedback queues have put it: down for crunching, and up again for waits. The quantum is long now: one of a
    // tick would be used up by a tick that comes just after the one that wakes.
    race.sank[(u64)me] = current_task()->level;
    boot_options.quantum = 100;
    for (int i = 0; i < 4; i++) task_sleep(15000000);
    race.rose[(u64)me] = current_task()->level;
    __atomic_fetch_sub(&race.left, 1, __ATOMIC_RELEASE);
}

static void hold_the_cpu(void *nothing) {
    (void)nothing;
    race.started = true;
    while (!race.until) pause_cpu();
}

static void note_order(void *me) {
    race.order[race.next++] = (u32)(u64)me;
    __atomic_fetch_sub(&race.left, 1, __ATOMIC_RELEASE);
}

/** Two crunchers on one CPU for a while: the share of the first in the time, in percent. */
static u64 share_of_first(unsigned cpu, u64 ns, u8 priority0, u8 priority1) {
    race.left = 2;
    boot_options.quantum = 1;
    race.until = clock_ns() + ns;
    u64 flags = interrupts_save(); // so that both are there before either runs
    struct task *a = task_create_on(cpu, "first", run_until, (void *)0), *b = task_create_on(cpu, "second", run_until, (void *)1);
    if (a) a->priority = priority0;
    if (b) b->priority = priority1;
    interrupts_restore(flags);
    if (!a || !b) return 1000;
    while (race.left) task_sleep(10000000);
    return race.ran[0] * 100 / MAX(race.ran[0] + race.ran[1], 1);
}

/** Three jobs that have run for 3, 1 and 2 ms so far, all ready when the CPU comes free. */
static const char *shortest_first(unsigned cpu) {
    sched_select("sjf");
    race.left = 3;
    race.next = 0;
    race.until = 0;
    race.started = false;
    bool alone = cpu == this_cpu()->index; // then nobody runs before we sleep
    if (!alone && !task_create_on(cpu, "hold", hold_the_cpu, NULL)) return "no memory";
    while (!alone && !race.started) task_sleep(1000000);
    static const u64 guesses[] = {3000000, 1000000, 2000000};
    for (u64 i = 0; i < 3; i++) {
        struct task *task = task_create_on(cpu, "note", note_order, (void *)i);
        if (!task) return "no memory";
        task->burst_guess = guesses[i];
    }
    sched_select("sjf"); // queues them again, by the guesses
    race.until = 1;
    while (race.left) task_sleep(1000000);
    return race.order[0] == 1 && race.order[1] == 2 && race.order[2] == 0 ? NULL : "sjf does not run the shortest first";
}

const char *test_schedulers(char *remark, size_t size) {
    char before[16];
    copy_string(before, sched_name(), sizeof before);
    unsigned cpu = cpu_count > 1 && cpus[cpu_count - 1].online ? cpu_count - 1 : 0;
    const char *wrong = NULL;
    // Everybody runs everything: tasks made under one policy go on under the next.
    for (unsigned p = 0; p < policy_count && !wrong; p++) {
        if (!sched_select(policies[p]->name)) wrong = "a policy is not known by its name";
        race.left = 3;
        race.next = 0;
        for (u64 i = 0; i < 3; i++)
            if (!task_create_on(cpu, "note", note_order, (void *)i)) wrong = "no memory";
        for (int i = 0; i < 500 && race.left; i++) task_sleep(10000000);
        if (race.left) wrong = "a policy does not run its tasks";
        if (!wrong && !strcmp(policies[p]->name, "fcfs") && (race.order[0] != 0 || race.order[1] != 1 || race.order[2] != 2)) wrong = "fcfs is not in order";
    }
    if (!wrong) wrong = shortest_first(cpu);
    u64 quantum = boot_options.quantum;
    u64 turns[2] = {0, 0}, fair = 0, weighted = 0, highest = 0;
    if (!wrong) {
        // An emulator on a busy host may hold up a CPU for most of a trial, and the ticks with it: then a longer trial,
        // before the scheduler is to blame. Turns, not time, for round robin; the fair one makes up for turns that were
        // too long.
        static const u64 trials[] = {6, 15, 40, 100, 300}; // ticks
        bool takes_turns = false;
        sched_select("rr");
        for (unsigned t = 0; t < COUNT_OF(trials) && !takes_turns; t++) {
            share_of_first(cpu, trials[t] * 1000000000 / boot_options.hz, 8, 8);
            turns[0] = race.turns[0];
            turns[1] = race.turns[1];
            takes_turns = turns[0] >= 2 && turns[0] <= turns[1] + 1 && turns[1] <= turns[0] + 1;
        }
        sched_select("fair");
        for (unsigned t = 0; t < COUNT_OF(trials) && (fair < 25 || fair > 75); t++) fair = share_of_first(cpu, trials[t] * 1000000000 / boot_options.hz, 8, 8);
        for (unsigned t = 0; t < COUNT_OF(trials) && weighted < 50; t++) weighted = share_of_first(cpu, trials[t] * 1000000000 / boot_options.hz, 11, 8);
        sched_select("priority");
        for (unsigned t = 0; t < COUNT_OF(trials) && highest < 80; t++) highest = share_of_first(cpu, trials[t] * 1000000000 / boot_options.hz, 7, 5);
        // Both have used up many quanta, and sank to below where they started (3 and 8); each wait brings one up again.
        u64 down[2] = {0, 0}, up[2] = {0, 0};
        for (unsigned p = 0; p < 2; p++) {
            sched_select(p ? "dynamic" : "mlfq");
            u32 start = p ? 8 : 3;
            for (unsigned t = 0; t < COUNT_OF(trials) && !up[p]; t++) {
                share_of_first(cpu, trials[t] * 1000000000 / boot_options.hz, 8, 8);
                down[p] = race.sank[0] < start && race.sank[1] < start;
                up[p] = down[p] && race.rose[0] > race.sank[0] && race.rose[1] > race.sank[1];
            }
        }
        if (!down[0] || !down[1]) wrong = "who crunches does not sink in the feedback queues";
        else if (!up[0] || !up[1]) wrong = "who waits does not rise in the feedback queues";
        else if (!takes_turns) wrong = "round robin does not take turns";
        else if (fair < 25 || fair > 75) wrong = "the fair one does not share";
        else if (weighted < 50) wrong = "weight does not count";
        else if (highest < 80) wrong = "the lower priority runs while the higher wants to";
    }
    sched_select(before);
    boot_options.quantum = quantum;
    format(remark, size, "%u policies; rr: %llu and %llu turns; the first of two gets: fair %llu%%, with weight 1.95 %llu%%, priority %llu%%", policy_count, turns[0], turns[1], fair, weighted, highest);
    return wrong;
}

static u64 async_sum;
static bool add_up(struct future *f) {
    async_sum += f->step;
    if (f->step++ == 10) return true;
    if (f->step % 3 == 0) async_wake_after(f, 1000000);
    else async_wake(f);
    return false;
}

const char *test_async(char *remark, size_t size) {
    static struct future futures[8];
    async_sum = 0;
    for (int i = 0; i < 8; i++) {
        futures[i] = (struct future){.name = "sum", .poll = add_up};
        async_spawn(&futures[i]);
    }
    u64 polls = async_run();
    if (async_sum != 8 * 55) return "the futures did not each run to their end once";
    format(remark, size, "8 futures, %llu polls, one stack", polls);
    return NULL;
}
