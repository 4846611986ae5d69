// threads [N]: N threads in one address space unmap and touch memory of their own beside each other: on several CPUs every
// unmapping is a TLB shootdown.
#include "lib.h"

static volatile int left;
static char stacks[8][4096] __attribute__((aligned(16)));

static void thread(long me) {
    for (int i = 0; i < 50; i++) {
        volatile char *at = map(4 * 4096);
        for (int j = 0; at && j < 4; j++) at[j * 4096] = (char)me;
        for (int j = 0; at && j < 4; j++)
            if (at[j * 4096] != (char)me) printf("threads: thread %ld sees another one's memory\n", me);
        if (at) unmap((void *)at, 4 * 4096);
    }
    __atomic_fetch_sub(&left, 1, __ATOMIC_SEQ_CST);
    exit(0);
}

int main(const char *arguments) {
    char name[32];
    word(&arguments, name, sizeof name);
    int count = (int)number(&arguments, 4);
    if (count > 8) count = 8;
    uint64_t start = time_ns();
    left = count;
    for (long i = 0; i < count; i++)
        if (syscall(SYS_THREAD, (long)thread, (long)(stacks[i] + sizeof stacks[i] - 8), i) < 0) __atomic_fetch_sub(&left, 1, __ATOMIC_SEQ_CST);
    while (left) sleep_ms(2);
    while (wait(-1, NULL) > 0) {}
    printf("threads: %d threads, %lu ms\n", count, (time_ns() - start) / 1000000);
    return 0;
}
