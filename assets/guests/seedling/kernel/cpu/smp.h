// Symmetric multiprocessing: starting the other CPUs.
#pragma once
#include "types.h"
void smp_init(void);
unsigned cpus_online(void);
/** What a CPU does when there is nothing to do. */
NORETURN void idle_loop(void);
void cpus_print(void);
