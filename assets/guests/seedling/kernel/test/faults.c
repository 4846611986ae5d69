// `fault KIND`: the ways kernels die, on purpose, so that one can learn what each looks like from outside.
#include "test/faults.h"
#include "boot-line.h"
#include "cpu/cpu.h"
#include "cpu/gdt.h"
#include "cpu/percpu.h"
#include "cpu/smp.h"
#include "cpu/spinlock.h"
#include "irq/irq.h"
#include "irq/lapic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/slab.h"
#include "panic.h"
#include "task/task.h"
#include "test/demos.h"
#include "time/clock.h"

void smash_the_stack(const char *text); // stack-smash.c

static NOINLINE void null(void) {
    volatile u64 *pointer = NULL;
    __asm__("" : "+r"(pointer)); // or gcc would warn of the very thing
    printf("reading through a null pointer\n");
    (void)pointer[1];
}

static NOINLINE void wild(void) {
    printf("writing to DEADBEEF00000000h, which is not even canonical\n");
    *(volatile u64 *)0xDEADBEEF00000000 = 1;
}

static NOINLINE void segment(void) {
    printf("loading DS with selector %xh, whose descriptor is not present\n", ABSENT_SEGMENT);
    __asm__ volatile("mov %w0, %%ds" ::"r"(ABSENT_SEGMENT));
}

static NOINLINE u64 deeper(u64 n) {
    volatile u64 room[64];
    room[n % 64] = n;
    return n == ~0ull ? 0 : deeper(n + 1) + room[n % 64];
}
static NOINLINE void double_fault(void) {
    printf("running out of stack: its guard page makes a #PF, which has no stack to be delivered on: #DF\n");
    printf("%llu\n", deeper(0));
}

static NOINLINE void triple(void) {
    printf("an exception with no IDT: #GP while delivering it, #DF while delivering that: shutdown\n");
    struct PACKED { u16 limit; u64 base; } nothing = {0, 0};
    __asm__ volatile("cli; lidt %0; ud2" ::"m"(nothing));
}

/** The line that ticks is not acknowledged once; its controller then waits for that, and gives nothing of equal or lower
 * priority. */
static NOINLINE void eoi(void) {
    bool local = clock_tick_source()[0] == 'l';
    if (local) { // make the tick a device's for a while: the local timer acknowledges for itself
        printf("the tick comes from the local timer; boot with timer=pit to see the tick stop\n");
        irq_forget_eoi = 4;
        printf("type something on COM1 now: the serial interrupt will come once, and not again\n");
        for (int i = 0; i < 50 && irq_forget_eoi >= 0; i++) task_sleep(100000000);
        if (irq_forget_eoi >= 0) {
            irq_forget_eoi = -1;
            printf("nothing was typed\n");
            return;
        }
        printf("interrupt 4 is in service still: %s\n", irq_in_service(4) ? "yes" : "no");
        irq_acknowledge(4);
        printf("acknowledged now: it goes on\n");
        return;
    }
    u64 before = clock_ticks();
    irq_forget_eoi = 0;
    clock_delay(100000000);
    u64 after = clock_ticks();
    clock_delay(100000000);
    printf("ticks: %llu, then %llu, %llu 100 ms later; interrupt 0 is in service: %s\n", before, after, clock_ticks(), irq_in_service(0) ? "yes" : "no");
    bool off = !(read_flags() & RFLAGS_IF);
    interrupts_off();
    irq_acknowledge(0);
    if (!off) interrupts_on();
    clock_delay(100000000);
    printf("acknowledged now: %llu ticks\n", clock_ticks());
}

static NOINLINE void shootdown_fault(void) {
    u64 unmappings, stale = shootdown_trial(100, true, &unmappings);
    printf("%llu pages unmapped without telling the other CPUs: %llu reads of the old page (%u CPUs)\n", unmappings, stale, cpus_online());
}

static NOINLINE void use_after_free(void) {
    bool before = frames_poison;
    frames_poison = true;
    u64 frame = frame_allocate(0, FRAME_KERNEL);
    volatile u64 *words = direct(frame);
    frame_free(frame, 0);
    words[5] = 0x4242; // the bug
    printf("frame %llx is free and has been written to; who gets it next?\n", frame >> PAGE_SHIFT);
    u64 taken[64], count = 0; // the next few frames, until it comes up again
    while (count < COUNT_OF(taken) && (taken[count] = frame_allocate(0, FRAME_KERNEL)) && taken[count++] != frame) {}
    while (count > 0) frame_free(taken[--count], 0);
    frames_poison = before;
}

static NOINLINE void double_free(void) {
    u64 frame = frame_allocate(0, FRAME_KERNEL);
    frame_free(frame, 0);
    frame_free(frame, 0); // the bug
    void *object = kmalloc(64);
    kfree(object);
    kfree(object); // and again
}

static struct spinlock first_lock = SPINLOCK("first"), second_lock = SPINLOCK("second");
static volatile u32 both;

static NOINLINE void take(struct spinlock *one, struct spinlock *other) {
    u64 flags = spin_lock(one);
    __atomic_fetch_add(&both, 1, __ATOMIC_SEQ_CST);
    while (both < 2) pause_cpu(); // each has its first
    spin_unlock(other, spin_lock(other));
    spin_unlock(one, flags);
}
static void take_second_then_first(void *nothing) {
    (void)nothing;
    take(&second_lock, &first_lock);
}
static NOINLINE void deadlock(void) {
    u32 me = this_cpu()->index, other = (u32)-1;
    for (u32 i = 0; i < cpu_count; i++)
        if (i != me && cpus[i].online) other = i;
    if (other == (u32)-1) {
        printf("one CPU: it takes a lock that it has\n");
        spin_lock(&first_lock);
        spin_lock(&first_lock);
    }
    printf("this CPU takes 'first' and wants 'second', CPU %u the other way round\n", other);
    both = 0;
    task_create_on(other, "deadlock", take_second_then_first, NULL);
    take(&first_lock, &second_lock);
}

static NOINLINE void unbalanced(void) {
    printf("interrupts off, and never on again\n");
    interrupts_off();
}

static void smash(void) {
    printf("64 characters into a buffer of 16\n");
    smash_the_stack("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

static const struct kind { const char *name; void (*run)(void); const char *help; } kinds[] = {
    {"null", null, "a null pointer: #PF, panic"},
    {"wild", wild, "a non-canonical address: #GP, panic"},
    {"segment", segment, "a segment that is not present: #NP, panic"},
    {"double", double_fault, "stack overflow: #DF on its own stack, panic"},
    {"triple", triple, "no IDT: the CPU shuts down"},
    {"eoi", eoi, "an interrupt that is not acknowledged: no more of them"},
    {"shootdown", shootdown_fault, "unmapping without telling the other CPUs: they read old pages"},
    {"use-after-free", use_after_free, "a frame written to after it was freed"},
    {"double-free", double_free, "a frame and an object freed twice"},
    {"deadlock", deadlock, "two locks, two orders: panic when patience= is over (one CPU: at once)"},
    {"interrupts", unbalanced, "interrupts left off"},
    {"smash", smash, "a buffer overrun: the stack protector panics"},
};

void fault_command(const char *arguments) {
    for (unsigned i = 0; i < COUNT_OF(kinds); i++)
        if (!strcmp(kinds[i].name, arguments)) {
            kinds[i].run();
            return;
        }
    for (unsigned i = 0; i < COUNT_OF(kinds); i++) printf("  fault %-15s %s\n", kinds[i].name, kinds[i].help);
}
