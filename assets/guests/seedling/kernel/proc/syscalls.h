#pragma once
#include "cpu/trap.h"
void syscalls_init(void);
void syscall_dispatch(struct trap_frame *frame);
extern u64 syscall_counts[32];
