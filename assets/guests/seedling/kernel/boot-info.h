// What the loader told us, whichever it was. Another loader (Limine, say) is one more function in boot-info.c.
#pragma once
#include "types.h"

#define MEMORY_USABLE 1 // the type numbers of INT 15h, E820h (ACPI 6.4, 15)
#define MEMORY_RESERVED 2
#define MEMORY_ACPI_RECLAIMABLE 3
#define MEMORY_ACPI_NVS 4
#define MEMORY_BAD 5

struct memory_range { u64 start, size; u32 type; };

struct framebuffer_info {
    u64 address; // physical; 0: there is none, the screen is in text mode
    u32 pitch, width, height;
    u8 bpp, red, green, blue; // bit positions of the colours
};

struct boot_info {
    char loader[64];
    char line[512];
    struct memory_range map[64];
    unsigned map_count;
    u64 initrd, initrd_size; // physical; size 0: none
    bool has_rsdp;
    u8 rsdp[36]; // a copy, if the loader handed one over
    struct framebuffer_info framebuffer;
};
extern struct boot_info boot_info;

/** Reads what EAX and EBX pointed to at the entry. Runs on the entry's page tables: only the first GiB is mapped. */
void boot_info_read(u32 magic, u64 information);
const char *memory_type_name(u32 type);
