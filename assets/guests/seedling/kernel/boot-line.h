// The boot line: words of the form name=value or name, separated by spaces.
#pragma once
#include "types.h"

struct boot_options {
    char run[96];        // shell, selftest (and off), or commands for the kernel: "run=stress,200;frames", commas for spaces
    char frames[8];      // bitmap or buddy
    char sched[12];      // a scheduler's name
    char irq[8];         // pic or apic
    char timer[8];       // pit, lapic or hpet
    char ata[8];         // off, pio or dma
    char panic[8];       // halt, off or reboot
    char root[16];       // directory that holds bin/shell: / or /disk
    u64 hz;              // ticks a second, 10 .. 10000
    u64 quantum;         // ticks
    u64 cpus;            // at most so many
    u64 deaf;            // APIC ID of a CPU that gets no STARTUP, as if it did not answer
    u64 operations;      // for the allocators' self-test
    u64 unmappings;      // for the shootdown's
    u64 seed;            // for everything random
    u64 patience;        // ms after which a spinlock that does not come free is a deadlock
    bool poison;         // fill freed frames, check them when they are given out again
    bool forget_ipi;     // shootdowns send no IPI: a bug on purpose
    bool debug_port;     // report to the workstation
    bool acpi;           // false: pretend there is none
};
extern struct boot_options boot_options;

/** Whatever it does not understand it says and ignores. */
void boot_line_parse(const char *line);
