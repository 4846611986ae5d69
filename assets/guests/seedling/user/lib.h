// The little that programs need: system calls by name, text, numbers.
#pragma once
#include "../abi.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

long syscall(long number, long a, long b, long c);
long syscall80(long number, long a, long b, long c);

struct directory_entry { char name[60]; uint32_t type, size; }; // as kernel/fs/vfs.h

static inline _Noreturn void exit(int code) {
    syscall(SYS_EXIT, code, 0, 0);
    __builtin_unreachable();
}
static inline long write(int fd, const void *buffer, size_t size) { return syscall(SYS_WRITE, fd, (long)buffer, (long)size); }
static inline long read(int fd, void *buffer, size_t size) { return syscall(SYS_READ, fd, (long)buffer, (long)size); }
static inline int open(const char *path) { return (int)syscall(SYS_OPEN, (long)path, 0, 0); }
static inline int close(int fd) { return (int)syscall(SYS_CLOSE, fd, 0, 0); }
static inline int fork(void) { return (int)syscall(SYS_FORK, 0, 0, 0); }
static inline int exec(const char *path, const char *arguments) { return (int)syscall(SYS_EXEC, (long)path, (long)arguments, 0); }
static inline int wait(int pid, int *code) { return (int)syscall(SYS_WAIT, pid, (long)code, 0); }
static inline void sleep_ms(unsigned ms) { syscall(SYS_SLEEP, ms, 0, 0); }
static inline void yield(void) { syscall(SYS_YIELD, 0, 0, 0); }
static inline int getpid(void) { return (int)syscall(SYS_GETPID, 0, 0, 0); }
/** NULL: no room. */
static inline void *map(size_t size) {
    long at = syscall(SYS_MAP, (long)size, 0, 0);
    return at < 0 ? NULL : (void *)at;
}
static inline int unmap(void *address, size_t size) { return (int)syscall(SYS_UNMAP, (long)address, (long)size, 0); }
static inline int kernel(const char *command) { return (int)syscall(SYS_KERNEL, (long)command, 0, 0); }
static inline uint64_t time_ns(void) { return (uint64_t)syscall(SYS_TIME, 0, 0, 0); }

void printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
/** Takes the next word off *text; false: none left. */
bool word(const char **text, char *out, size_t size);
/** The next word as a number, or `otherwise`. */
uint64_t number(const char **text, uint64_t otherwise);
uint64_t random_number(void);
