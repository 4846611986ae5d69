// Commands to the kernel itself, from the shell (by a system call), from the boot line, or, with no shell, from the
// terminal.
#pragma once
#include "types.h"
/** False: no such command. */
bool monitor_run(const char *line);
void monitor_loop(void);
