// Commands that make the views of a workstation move.
#pragma once
#include "types.h"
void demo_stress(const char *arguments);
void demo_shootdown(const char *arguments);
void demo_storm(const char *arguments);
void demo_async(const char *arguments);
void demo_mix(const char *arguments);
/** Unmaps and remaps a page `count` times while the other CPUs read it; how often one of them saw the old page. */
u64 shootdown_trial(u64 count, bool forget, u64 *unmappings);
