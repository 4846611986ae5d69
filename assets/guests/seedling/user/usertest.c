// usertest: what the kernel promises its programs; the self-test runs it. Ends with the number of the check that failed.
#include "lib.h"

static int checks;
static volatile int value = 1;
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        checks++;                                                                                                      \
        if (!(condition)) {                                                                                            \
            printf("usertest: check %d: %s does not hold\n", checks, #condition);                                      \
            exit(checks);                                                                                              \
        }                                                                                                              \
    } while (0)

static volatile int shared_by_thread;
static char thread_stack[4096] __attribute__((aligned(16)));
static void thread(long argument) {
    shared_by_thread = (int)argument;
    exit(7);
}

int main(const char *arguments) {
    char name[32], extra[32], buffer[64];
    word(&arguments, name, sizeof name);
    if (word(&arguments, extra, sizeof extra)) return extra[0] == 'x' ? 42 : 1; // the exec'd one, see below

    // Both ways into the kernel.
    CHECK(getpid() > 0 && syscall80(SYS_GETPID, 0, 0, 0) == getpid());
    CHECK(syscall(SYS_COUNT, 0, 0, 0) == -1 && syscall80(12345, 0, 0, 0) == -1);

    // fork copies; writing on one side does not show on the other.
    int code = 0, pid = fork();
    if (pid == 0) {
        value = 2;
        exit(value + 1);
    }
    CHECK(pid > 0 && wait(pid, &code) == pid && code == 3 && value == 1);
    CHECK(wait(-1, &code) == -1);

    // exec
    pid = fork();
    if (pid == 0) {
        exec("/bin/usertest", "usertest x");
        exit(1);
    }
    CHECK(wait(pid, &code) == pid && code == 42);
    CHECK(exec("/bin/nothing", "") < 0);

    // A process that does what it must not is ended, alone; its code is minus the exception's vector.
    pid = fork();
    if (pid == 0) *(volatile int *)(uintptr_t)(checks + 8) = 1;
    CHECK(wait(pid, &code) == pid && code == -14);
    pid = fork();
    if (pid == 0) __asm__ volatile("cli");
    CHECK(wait(pid, &code) == pid && code == -13);

    // Memory: zeros, then ours, then gone; and pointers the kernel must not follow.
    volatile char *at = map(3 * 4096);
    CHECK(at && at[0] == 0 && at[2 * 4096] == 0);
    at[4096] = 5;
    CHECK(at[4096] == 5 && unmap((void *)(at + 4096), 4096) == 0);
    CHECK(write(1, (void *)(at + 4096), 1) == -1);
    CHECK(write(1, (void *)0xFFFFFFFF80100000, 1) == -1);
    CHECK(syscall(SYS_READDIR, (long)"/", 0, (long)main) == -1);
    pid = fork();
    if (pid == 0) exit(at[4096]);
    CHECK(wait(pid, &code) == pid && code == -14);

    // Files.
    int fd = open("/README");
    CHECK(fd >= 3 && read(fd, buffer, sizeof buffer) > 0 && close(fd) == 0 && close(fd) == -1 && open("/no/such") == -1);

    // Threads share memory; priorities and sleep.
    pid = (int)syscall(SYS_THREAD, (long)thread, (long)(thread_stack + sizeof thread_stack - 8), 99);
    CHECK(pid > 0 && wait(pid, &code) == pid && code == 7 && shared_by_thread == 99);
    CHECK(syscall(SYS_PRIORITY, 0, 16, 0) == -1 && syscall(SYS_PRIORITY, 0, 9, 0) == 0);
    uint64_t before = time_ns();
    sleep_ms(20);
    CHECK(time_ns() - before >= 20000000);
    return 0;
}
