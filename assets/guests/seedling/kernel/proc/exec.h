// Programs: ELF files (ELF-64 Object File Format 1.5) become address spaces.
#pragma once
#include "cpu/trap.h"
#include "types.h"
/** Replaces the current process's program; 0, and `frame` goes to its start; or negative, and nothing has changed. */
int process_exec(struct trap_frame *frame, const char *path, const char *arguments);
/** A new process that runs a program; its pid or negative. It is a child of the task that calls. */
int process_start(const char *path, const char *arguments);
