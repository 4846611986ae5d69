#include "test/demos.h"
#include "boot-line.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/smp.h"
#include "cpu/trap.h"
#include "irq/lapic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/paging.h"
#include "mm/shootdown.h"
#include "mm/slab.h"
#include "task/async.h"
#include "task/sched.h"
#include "task/task.h"
#include "time/clock.h"

static u64 number_or(const char **arguments, u64 otherwise) {
    char word[24];
    const char *rest = *arguments;
    u64 value;
    if (next_word(&rest, word, sizeof word) && parse_number(word, &value)) {
        *arguments = rest;
        return value;
    }
    return otherwise;
}

// ---- stress: every CPU allocates and frees blocks of random sizes

struct stress { u64 count; u32 seed; volatile u32 *left; volatile u64 *failed; };

static void stress_one(void *argument) {
    struct stress stress = *(struct stress *)argument;
    struct random random = {boot_options.seed * 1000 + stress.seed};
    struct { void *pointer; u64 size; } held[64] = {0};
    for (u64 i = 0; i < stress.count; i++) {
        u64 slot = random_below(&random, COUNT_OF(held));
        if (held[slot].pointer) {
            u8 *bytes = held[slot].pointer; // what was written must still be there
            if (bytes[0] != (u8)stress.seed || bytes[held[slot].size - 1] != (u8)stress.seed) __atomic_fetch_add(stress.failed, 1, __ATOMIC_RELAXED);
            kfree(held[slot].pointer);
            held[slot].pointer = NULL;
        } else {
            held[slot].size = 1 + random_below(&random, random_below(&random, 8) ? 2048 : 16384);
            held[slot].pointer = kmalloc(held[slot].size);
            if (held[slot].pointer) memset(held[slot].pointer, (int)stress.seed, held[slot].size);
        }
        if (i % 1024 == 0) task_yield();
    }
    for (unsigned i = 0; i < COUNT_OF(held); i++) kfree(held[i].pointer);
    __atomic_fetch_sub(stress.left, 1, __ATOMIC_RELEASE);
}

void demo_stress(const char *arguments) {
    u64 count = number_or(&arguments, 20000), start = clock_ns();
    static struct stress jobs[MAX_CPUS];
    static volatile u32 left;
    static volatile u64 failed;
    left = cpus_online();
    failed = 0;
    for (u32 i = 0, n = left; i < n; i++) {
        jobs[i] = (struct stress){count, i + 1, &left, &failed};
        if (!task_create("stress", stress_one, &jobs[i])) __atomic_fetch_sub(&left, 1, __ATOMIC_RELEASE);
    }
    while (left) task_sleep(10000000);
    printf("stress: %llu operations on each of %u CPUs in %llu ms, %llu blocks damaged\n", count, cpus_online(), (clock_ns() - start) / 1000000, failed);
}

// ---- an interrupt for nothing

static volatile u64 storm_count;
static void storm_interrupt(struct trap_frame *frame) {
    (void)frame;
    __atomic_fetch_add(&storm_count, 1, __ATOMIC_RELAXED);
    lapic_eoi();
}

// ---- shootdown: one CPU changes what a page shows, the others look

#define OLD_MARK 0x1111111111111111ull
static struct {
    volatile u64 *page;         // where all look
    volatile u64 round;         // a new one: look
    volatile u64 expected;      // what the page shows this round
    volatile u32 answers;
    volatile u64 stale;
    volatile bool end;
    volatile u32 lookers;
} trial;

static void look(void *nothing) {
    (void)nothing;
    u64 seen = 0;
    while (!trial.end) {
        // Asleep between the rounds; what wakes is another interrupt than the shootdown's, and drops no translation.
        interrupts_off();
        u64 round = __atomic_load_n(&trial.round, __ATOMIC_ACQUIRE);
        if (round == seen) {
            wait_for_interrupt();
            continue;
        }
        interrupts_on();
        seen = round;
        if (*trial.page != trial.expected) __atomic_fetch_add(&trial.stale, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&trial.answers, 1, __ATOMIC_RELEASE);
    }
    __atomic_fetch_sub(&trial.lookers, 1, __ATOMIC_RELEASE);
}

static void wake_lookers(void) {
    for (u32 i = 0; i < cpu_count; i++)
        if (i != this_cpu()->index && cpus[i].online) lapic_send(cpus[i].apic_id, VECTOR_STORM);
}

u64 shootdown_trial(u64 count, bool forget, u64 *unmappings) {
    *unmappings = 0;
    u64 at = reserve_kernel_range(PAGE_SIZE), frames[2] = {frame_allocate(0, FRAME_KERNEL), frame_allocate(0, FRAME_KERNEL)};
    if (!frames[0] || !frames[1] || !map_page(kernel_pml4, at, frames[0], PAGE_WRITE | page_nx)) return 0;
    u64 *slot = page_slot(kernel_pml4, at, false);
    bool before = shootdown_forget;
    trap_handle(VECTOR_STORM, storm_interrupt);
    trial.page = (volatile u64 *)at;
    trial.round = trial.stale = trial.answers = 0;
    trial.end = false;
    u32 lookers = 0;
    u64 flags = sched_lock(); // so that we stay on this CPU until the lookers are placed
    u32 me = this_cpu()->index;
    current_task()->pinned = (int)me;
    sched_unlock(flags);
    for (u32 i = 0; i < cpu_count; i++)
        if (i != me && cpus[i].online && task_create_on(i, "look", look, NULL)) lookers++;
    trial.lookers = lookers;
    for (u64 i = 0; i < count; i++) {
        // The page shows another frame each round; whoever still sees the one before has not let go.
        u64 frame = frames[i & 1], mark = OLD_MARK * (1 + (i & 1));
        *(volatile u64 *)direct(frame) = mark;
        *slot = 0;
        shootdown_forget = forget;
        shootdown(NULL, at, 1);
        *slot = frame | PAGE_PRESENT | PAGE_WRITE | page_nx;
        trial.expected = mark;
        trial.answers = 0;
        __atomic_store_n(&trial.round, i + 1, __ATOMIC_RELEASE);
        wake_lookers();
        while (__atomic_load_n(&trial.answers, __ATOMIC_ACQUIRE) < lookers) pause_cpu();
        if (*trial.page != mark) __atomic_fetch_add(&trial.stale, 1, __ATOMIC_RELAXED);
        ++*unmappings;
    }
    shootdown_forget = before;
    trial.end = true;
    while (trial.lookers) {
        wake_lookers();
        task_yield();
    }
    *slot = 0;
    shootdown(NULL, at, 1);
    frame_free(frames[0], 0);
    frame_free(frames[1], 0);
    current_task()->pinned = -1;
    return trial.stale;
}

void demo_shootdown(const char *arguments) {
    u64 count = number_or(&arguments, 1000), unmappings, start = clock_ns(), ipis = shootdown_ipis;
    bool forget = !strcmp(arguments, "forget") || !strcmp(arguments, " forget");
    u64 stale = shootdown_trial(count, forget, &unmappings);
    printf("shootdown: %llu unmappings, %u CPUs, %llu IPIs%s, %llu stale uses, %llu ms\n", unmappings, cpus_online(), shootdown_ipis - ipis,
           forget ? " (forgotten)" : "", stale, (clock_ns() - start) / 1000000);
}

// ---- storm: interrupts, as fast as they go

void demo_storm(const char *arguments) {
    u64 count = number_or(&arguments, 10000), start = clock_ns();
    if (!lapic_present()) {
        printf("storm: no local APIC to send interrupts with\n");
        return;
    }
    trap_handle(VECTOR_STORM, storm_interrupt);
    storm_count = 0;
    for (u64 i = 0; i < count; i++) {
        struct cpu *cpu = &cpus[i % cpu_count];
        if (cpu->online) lapic_send(cpu->apic_id, VECTOR_STORM);
    }
    task_sleep(10000000);
    printf("storm: %llu sent, %llu taken (two of one vector that meet become one), %llu ns each\n", count, storm_count,
           (clock_ns() - start) / MAX(storm_count, 1));
}

// ---- async: three futures, one stack

/** Counts to data[0], sleeping data[1] ns in between: a state machine, as a compiler makes one of an async function. */
static bool count_future(struct future *f) {
    if (f->step > 0) printf("  %s: %u\n", f->name, f->step);
    if (f->step == f->data[0]) return true;
    f->step++;
    async_wake_after(f, f->data[1]);
    return false;
}

void demo_async(const char *arguments) {
    (void)arguments;
    static struct future futures[3];
    static const char *names[] = {"quick", "steady", "slow"};
    for (u64 i = 0; i < 3; i++) {
        futures[i] = (struct future){.name = names[i], .poll = count_future, .data = {4 - i, (1 + i) * 20000000}};
        async_spawn(&futures[i]);
    }
    printf("async: %llu polls\n", async_run());
}

// ---- mix: what the schedulers differ in

static struct { volatile u64 until; volatile u32 left; } mix;
struct mixer { u64 work, wakes, late_ns; bool sleeper; u8 priority; u64 run_ns; };
static struct mixer mixers[6];

static void mix_one(void *argument) {
    struct mixer *m = argument;
    current_task()->priority = m->priority;
    while (clock_ns() < mix.until) { // each looks itself: under a scheduler that does not preempt nobody else could
        if (m->sleeper) {
            u64 due = clock_ns() + 10000000;
            task_sleep(10000000);
            u64 now = clock_ns();
            m->late_ns += now > due ? now - due : 0;
            m->wakes++;
        } else
            for (int i = 0; i < 10000; i++) ++*(volatile u64 *)&m->work;
    }
    m->run_ns = current_task()->run_ns;
    __atomic_fetch_sub(&mix.left, 1, __ATOMIC_RELEASE);
}

void demo_mix(const char *arguments) {
    u64 seconds = number_or(&arguments, 2);
    mix.until = clock_ns() + seconds * 1000000000;
    mix.left = COUNT_OF(mixers);
    for (unsigned i = 0; i < COUNT_OF(mixers); i++) {
        mixers[i] = (struct mixer){.sleeper = i >= 3, .priority = (u8)(4 + 4 * (i % 3))};
        if (!task_create(i >= 3 ? "sleeper" : "cruncher", mix_one, &mixers[i])) __atomic_fetch_sub(&mix.left, 1, __ATOMIC_RELEASE);
    }
    while (mix.left) task_sleep(20000000);
    printf("mix under %s, %llu s:\n", sched_name(), seconds);
    for (unsigned i = 0; i < COUNT_OF(mixers); i++) {
        struct mixer *m = &mixers[i];
        if (m->sleeper) printf("  sleeper  priority %2u: woke %4llu times, %6llu us late on average\n", m->priority, m->wakes, m->late_ns / 1000 / MAX(m->wakes, 1));
        else printf("  cruncher priority %2u: %5llu ms of CPU, %llu rounds\n", m->priority, m->run_ns / 1000000, m->work);
    }
}
