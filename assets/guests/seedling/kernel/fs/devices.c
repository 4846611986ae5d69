// /dev: the block devices as files.
#include "fs/block.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "mm/slab.h"

static s64 transfer(struct block_device *device, u64 offset, u8 *to, const u8 *from, u64 size) {
    u64 end = device->sectors * SECTOR, done = 0;
    if (offset >= end) return 0;
    size = MIN(size, end - offset);
    u8 sector[SECTOR];
    while (done < size) {
        u64 lba = (offset + done) / SECTOR, skip = (offset + done) % SECTOR, count = MIN(SECTOR - skip, size - done);
        if (!block_read(device, lba, 1, sector)) return -1;
        if (to) memcpy(to + done, sector + skip, count);
        else {
            memcpy(sector + skip, from + done, count);
            if (!block_write(device, lba, 1, sector)) return -1;
        }
        done += count;
    }
    return (s64)done;
}
static s64 read(struct inode *inode, u64 offset, void *buffer, u64 size) { return transfer(inode->data, offset, buffer, NULL, size); }
static s64 write(struct inode *inode, u64 offset, const void *buffer, u64 size) { return transfer(inode->data, offset, NULL, buffer, size); }
static struct inode *lookup(struct inode *directory, const char *name);
static bool entry(struct inode *directory, u64 index, struct directory_entry *out) {
    (void)directory;
    if (index >= block_device_count) return false;
    *out = (struct directory_entry){.type = INODE_DEVICE, .size = (u32)(block_devices[index]->sectors * SECTOR)};
    copy_string(out->name, block_devices[index]->name, sizeof out->name);
    return true;
}
static const struct inode_operations operations = {lookup, entry, read, write};

static struct inode *lookup(struct inode *directory, const char *name) {
    struct block_device *device = block_find(name);
    return device ? inode_create(directory->superblock, INODE_DEVICE, 2, device->sectors * SECTOR, &operations, device) : NULL;
}

struct superblock *devices_mount(void) {
    struct superblock *superblock = kzalloc(sizeof *superblock);
    if (!superblock) return NULL;
    superblock->type = "devices";
    superblock->root = inode_create(superblock, INODE_DIRECTORY, 1, 0, &operations, NULL);
    return superblock;
}
