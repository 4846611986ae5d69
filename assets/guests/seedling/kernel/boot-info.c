#include "boot-info.h"
#include "lib/printf.h"
#include "lib/string.h"

struct boot_info boot_info;

#define MAGIC_BIOS 0x44454553u // 'SEED'
#define MAGIC_MULTIBOOT2 0x36D76289u

const char *memory_type_name(u32 type) {
    static const char *names[] = {"?", "usable", "reserved", "ACPI tables", "ACPI NVS", "bad"};
    return type < COUNT_OF(names) ? names[type] : "reserved";
}

static void add_range(u64 start, u64 size, u32 type) {
    if (boot_info.map_count == COUNT_OF(boot_info.map)) return;
    boot_info.map[boot_info.map_count++] = (struct memory_range){start, size, type};
}

// ---- our own boot chain: struc record in boot/stage2.asm

struct bios_record {
    u32 magic, map_count, line, initrd, initrd_size;
    u32 fb_address, fb_pitch;
    u16 fb_width, fb_height;
    u8 fb_bpp, fb_red, fb_green, fb_blue;
    u32 drive;
    struct PACKED { u64 start, size; u32 type, attributes; } map[64];
};
_Static_assert(offsetof(struct bios_record, map) == 40, "boot/stage2.asm lays the record out");

static void read_bios(const struct bios_record *record) {
    copy_string(boot_info.loader, "BIOS boot chain", sizeof boot_info.loader);
    copy_string(boot_info.line, direct(record->line), sizeof boot_info.line);
    for (u32 i = 0; i < record->map_count && i < 64; i++)
        add_range(record->map[i].start, record->map[i].size, record->map[i].type);
    boot_info.initrd = record->initrd;
    boot_info.initrd_size = record->initrd_size;
    boot_info.framebuffer = (struct framebuffer_info){record->fb_address, record->fb_pitch, record->fb_width, record->fb_height,
                                                      record->fb_bpp,     record->fb_red,   record->fb_green, record->fb_blue};
}

// ---- Multiboot 2, 3.6: a sequence of tags, each aligned to 8 bytes, ended by type 0

struct multiboot_tag { u32 type, size; };

static void read_multiboot2(const u8 *information) {
    copy_string(boot_info.loader, "Multiboot 2 loader", sizeof boot_info.loader);
    u32 total = *(const u32 *)information;
    for (u32 at = 8; at + 8 <= total;) {
        const u8 *tag = information + at;
        const struct multiboot_tag *head = (const void *)tag;
        if (head->type == 0 || head->size < 8) break;
        switch (head->type) {
        case 1: copy_string(boot_info.line, (const char *)tag + 8, sizeof boot_info.line); break;
        case 2: copy_string(boot_info.loader, (const char *)tag + 8, sizeof boot_info.loader); break;
        case 3: // a module; the first one is the initrd
            if (boot_info.initrd_size) break;
            boot_info.initrd = *(const u32 *)(tag + 8);
            boot_info.initrd_size = *(const u32 *)(tag + 12) - boot_info.initrd;
            break;
        case 6: {
            u32 entry_size = *(const u32 *)(tag + 8);
            for (u32 i = 16; entry_size >= 20 && i + entry_size <= head->size; i += entry_size)
                add_range(*(const u64 *)(tag + i), *(const u64 *)(tag + i + 8), *(const u32 *)(tag + i + 16));
            break;
        }
        case 8:
            if (tag[29] != 1 || tag[28] != 32) break; // direct colour, 32 bits: the only kind we draw in
            boot_info.framebuffer =
                (struct framebuffer_info){*(const u64 *)(tag + 8),  *(const u32 *)(tag + 16), *(const u32 *)(tag + 20),
                                          *(const u32 *)(tag + 24), tag[28], tag[32], tag[34], tag[36]};
            break;
        case 14:
        case 15: // a copy of the RSDP (14: ACPI 1.0's, 20 bytes)
            memcpy(boot_info.rsdp, tag + 8, MIN(head->size - 8, sizeof boot_info.rsdp));
            boot_info.has_rsdp = true;
            break;
        }
        at += (u32)ALIGN_UP(head->size, 8);
    }
}

void boot_info_read(u32 magic, u64 information) {
    copy_string(boot_info.loader, "unknown loader", sizeof boot_info.loader);
    if (magic == MAGIC_BIOS) read_bios(direct(information));
    else if (magic == MAGIC_MULTIBOOT2) read_multiboot2(direct(information));
    if (boot_info.map_count == 0) {
        // Nobody told: 4 MiB is what any machine that got this far must have.
        copy_string(boot_info.loader, "loader without a memory map (assuming 4 MiB)", sizeof boot_info.loader);
        add_range(1 * MIB, 3 * MIB, MEMORY_USABLE);
    }
}
