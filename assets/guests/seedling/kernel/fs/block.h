// Block devices: numbered sectors of 512 bytes.
#pragma once
#include "types.h"
#define SECTOR 512

struct block_device {
    char name[12];
    u64 sectors;
    bool (*read)(struct block_device *device, u64 lba, u32 count, void *buffer);
    bool (*write)(struct block_device *device, u64 lba, u32 count, const void *buffer);
    void *data;
    u64 start; // of a partition, in its disk
    u64 reads, writes; // sectors
};
extern struct block_device *block_devices[16];
extern unsigned block_device_count;

void block_register(struct block_device *device);
struct block_device *block_find(const char *name);
/** With the bounds checked; false: outside, or the device failed. */
bool block_read(struct block_device *device, u64 lba, u32 count, void *buffer);
bool block_write(struct block_device *device, u64 lba, u32 count, const void *buffer);
/** Reads the partition table of the MBR and registers what is in it, as hda1 and so on. */
void block_scan_partitions(struct block_device *disk);
void ram_disk_init(u64 size);
void block_print(void);
