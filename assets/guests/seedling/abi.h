// What the kernel and its programs agree on: system calls, by SYSCALL or by INT 80h. RAX: the number; RDI, RSI, RDX: the
// arguments; the answer comes in RAX, and is negative when the call failed. SYSCALL destroys RCX and R11.
#pragma once

enum syscall {
    SYS_EXIT,       // code
    SYS_WRITE,      // fd, buffer, size -> bytes written
    SYS_READ,       // fd, buffer, size -> bytes read, 0 at the end
    SYS_OPEN,       // path -> fd
    SYS_CLOSE,      // fd
    SYS_FORK,       // -> pid of the child, 0 in the child
    SYS_EXEC,       // path, arguments in one string
    SYS_WAIT,       // pid, -1 (any) or -2 (any that has ended already), where to put the exit code (or 0) -> pid
    SYS_SLEEP,      // milliseconds
    SYS_YIELD,
    SYS_GETPID,
    SYS_MAP,        // bytes -> address of new memory, filled with zeros when touched
    SYS_UNMAP,      // address, bytes
    SYS_KERNEL,     // a command line for the kernel (`ps`, `frames`, ...) -> 0, or -1: no such command
    SYS_READDIR,    // path, index, struct directory_entry * -> 1, or 0 at the end
    SYS_TIME,       // -> nanoseconds since the kernel started
    SYS_THREAD,     // entry, stack, argument: a thread in the same address space -> pid
    SYS_PRIORITY,   // pid (0: oneself), 0 .. 15
    SYS_FOREGROUND, // pid that gets Ctrl-C, 0: nobody
    SYS_KILL,       // pid
    SYS_CPU,        // -> number of the CPU this runs on
    SYS_COUNT,
};

#define USER_IMAGE 0x400000ull          // where programs are linked to
#define USER_STACK 0x00007FFFFFFFE000ull // the top of the stack
#define USER_STACK_SIZE (1ull << 20)
