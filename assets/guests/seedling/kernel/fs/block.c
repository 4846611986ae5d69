#include "fs/block.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"

struct block_device *block_devices[16];
unsigned block_device_count;

void block_register(struct block_device *device) {
    if (block_device_count < COUNT_OF(block_devices)) block_devices[block_device_count++] = device;
}

struct block_device *block_find(const char *name) {
    for (unsigned i = 0; i < block_device_count; i++)
        if (!strcmp(block_devices[i]->name, name)) return block_devices[i];
    return NULL;
}

static bool inside(const struct block_device *device, u64 lba, u32 count) { return count <= device->sectors && lba <= device->sectors - count; }

bool block_read(struct block_device *device, u64 lba, u32 count, void *buffer) {
    if (!inside(device, lba, count)) return false;
    device->reads += count;
    return device->read(device, lba, count, buffer);
}

bool block_write(struct block_device *device, u64 lba, u32 count, const void *buffer) {
    if (!inside(device, lba, count) || !device->write) return false;
    device->writes += count;
    return device->write(device, lba, count, buffer);
}

// ---- partitions

static bool partition_read(struct block_device *p, u64 lba, u32 count, void *buffer) { return block_read(p->data, p->start + lba, count, buffer); }
static bool partition_write(struct block_device *p, u64 lba, u32 count, const void *buffer) { return block_write(p->data, p->start + lba, count, buffer); }

void block_scan_partitions(struct block_device *disk) {
    u8 mbr[SECTOR];
    if (!block_read(disk, 0, 1, mbr) || mbr[510] != 0x55 || mbr[511] != 0xAA) return;
    for (unsigned i = 0; i < 4; i++) {
        const u8 *entry = mbr + 446 + 16 * i;
        u32 start, sectors;
        memcpy(&start, entry + 8, 4);
        memcpy(&sectors, entry + 12, 4);
        if (!entry[4] || !sectors) continue;
        if ((u64)start + sectors > disk->sectors) {
            printf("%s: partition %u ends behind the disk and is left out\n", disk->name, i + 1);
            continue;
        }
        struct block_device *p = kzalloc(sizeof *p);
        if (!p) return;
        *p = (struct block_device){.sectors = sectors, .start = start, .read = partition_read, .write = partition_write, .data = disk};
        format(p->name, sizeof p->name, "%s%u", disk->name, i + 1);
        block_register(p);
    }
}

// ---- the RAM disk

static bool ram_read(struct block_device *ram, u64 lba, u32 count, void *buffer) {
    memcpy(buffer, (u8 *)ram->data + lba * SECTOR, (u64)count * SECTOR);
    return true;
}
static bool ram_write(struct block_device *ram, u64 lba, u32 count, const void *buffer) {
    memcpy((u8 *)ram->data + lba * SECTOR, buffer, (u64)count * SECTOR);
    return true;
}

void ram_disk_init(u64 size) {
    static struct block_device ram = {.name = "ram0", .read = ram_read, .write = ram_write};
    ram.data = kzalloc(size);
    if (!ram.data) {
        printf("ram0: no memory for a RAM disk of %llu KiB\n", size / KIB);
        return;
    }
    ram.sectors = size / SECTOR;
    block_register(&ram);
}

void block_print(void) {
    for (unsigned i = 0; i < block_device_count; i++) {
        struct block_device *d = block_devices[i];
        printf("  %-6s %8llu KiB, %llu sectors read, %llu written\n", d->name, d->sectors / 2, d->reads, d->writes);
    }
}
