// ext2, read-only ("The Second Extended File System", D. Poirier). Whatever the disk says is checked before it is used: a
// wrong number in it must not become a wild pointer here, or a loop without end.
#include "fs/block.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"

#define MAGIC 0xEF53
#define ROOT_INODE 2
#define INCOMPATIBLE_FILETYPE 2
#define S_IFMT 0xF000
#define S_IFDIR 0x4000
#define S_IFREG 0x8000

struct PACKED disk_superblock {
    u32 inodes, blocks, reserved, free_blocks, free_inodes, first_block, log_block_size, log_fragment_size, blocks_per_group,
        fragments_per_group, inodes_per_group, mount_time, write_time;
    u16 mounts, max_mounts, magic, state, errors, minor;
    u32 checked, interval, creator, revision;
    u16 uid, gid;
    u32 first_inode;
    u16 inode_size, group;
    u32 compatible, incompatible, read_only_compatible;
};
struct PACKED disk_group { u32 block_bitmap, inode_bitmap, inode_table; u16 free_blocks, free_inodes, directories, padding; u32 reserved[3]; };
struct PACKED disk_inode {
    u16 mode, uid;
    u32 size, access_time, change_time, modify_time, delete_time;
    u16 gid, links;
    u32 sectors, flags, os1, block[15];
};
struct PACKED disk_entry { u32 inode; u16 length; u8 name_length, type; char name[]; };

struct ext2 {
    struct block_device *device;
    u32 block_size, blocks, inodes, inodes_per_group, inode_size, groups, first_block;
};

static bool read_block(struct ext2 *fs, u32 block, void *buffer) {
    if (block >= fs->blocks) {
        printf("ext2 on %s: block %u is behind the end (%u)\n", fs->device->name, block, fs->blocks);
        return false;
    }
    u32 sectors = fs->block_size / SECTOR;
    return block_read(fs->device, (u64)block * sectors, sectors, buffer);
}

static bool read_bytes(struct ext2 *fs, u64 offset, void *buffer, u32 size) {
    u8 *block = kmalloc(fs->block_size);
    bool done = block && read_block(fs, (u32)(offset / fs->block_size), block);
    if (done) memcpy(buffer, block + offset % fs->block_size, size);
    kfree(block);
    return done;
}

static bool read_inode(struct ext2 *fs, u32 number, struct disk_inode *inode) {
    if (number == 0 || number > fs->inodes) {
        printf("ext2 on %s: there is no inode %u\n", fs->device->name, number);
        return false;
    }
    u32 group = (number - 1) / fs->inodes_per_group, index = (number - 1) % fs->inodes_per_group;
    struct disk_group descriptor;
    if (!read_bytes(fs, (u64)(fs->first_block + 1) * fs->block_size + group * sizeof descriptor, &descriptor, sizeof descriptor)) return false;
    return read_bytes(fs, (u64)descriptor.inode_table * fs->block_size + (u64)index * fs->inode_size, inode, sizeof *inode);
}

/** The disk block of a file's index-th block: 12 in the inode, then one, two and three levels of tables. 0: a hole. */
static bool map_block(struct ext2 *fs, const struct disk_inode *inode, u64 index, u32 *block) {
    u64 per_table = fs->block_size / 4, reach = 1;
    if (index < 12) {
        *block = inode->block[index];
        return true;
    }
    index -= 12;
    for (unsigned level = 1; level <= 3; level++) {
        reach *= per_table;
        if (index >= reach) {
            index -= reach;
            continue;
        }
        *block = inode->block[11 + level];
        for (u64 span = reach / per_table; *block; span /= per_table) {
            if (!read_bytes(fs, (u64)*block * fs->block_size + index / span * 4, block, 4)) return false;
            index %= span;
            if (span == 1) break;
        }
        return true;
    }
    return false;
}

static s64 read(struct inode *file, u64 offset, void *buffer, u64 size) {
    struct ext2 *fs = file->superblock->data;
    struct disk_inode inode;
    if (!read_inode(fs, (u32)file->number, &inode)) return -1;
    if (offset >= inode.size) return 0;
    size = MIN(size, inode.size - offset);
    u8 *block = kmalloc(fs->block_size);
    if (!block) return -1;
    u64 done = 0;
    while (done < size) {
        u32 at, skip = (u32)((offset + done) % fs->block_size), count = (u32)MIN(fs->block_size - skip, size - done);
        if (!map_block(fs, &inode, (offset + done) / fs->block_size, &at)) break;
        if (at == 0) memset(block, 0, fs->block_size);
        else if (!read_block(fs, at, block)) break;
        memcpy((u8 *)buffer + done, block + skip, count);
        done += count;
    }
    kfree(block);
    return done == size ? (s64)done : -1;
}

/** Calls `visit` for each entry until it answers true. */
static bool each_entry(struct inode *directory, bool (*visit)(const struct disk_entry *, void *), void *context) {
    struct ext2 *fs = directory->superblock->data;
    u8 *block = kmalloc(fs->block_size);
    bool found = false;
    for (u64 at = 0; block && at < directory->size && !found; at += fs->block_size) {
        if (read(directory, at, block, fs->block_size) <= 0) break;
        for (u32 offset = 0; offset + 8 <= fs->block_size && !found;) {
            const struct disk_entry *entry = (const void *)(block + offset);
            if (entry->length < 8 || entry->length % 4 || offset + entry->length > fs->block_size || entry->name_length + 8u > entry->length) {
                printf("ext2 on %s: directory %llu is damaged at byte %llu\n", fs->device->name, directory->number, at + offset);
                kfree(block);
                return false;
            }
            found = entry->inode && visit(entry, context);
            offset += entry->length;
        }
    }
    kfree(block);
    return found;
}

static struct inode *make_inode(struct superblock *superblock, u32 number);

struct by_name { const char *name; u32 number; };
static bool match(const struct disk_entry *entry, void *context) {
    struct by_name *search = context;
    if (strlen(search->name) != entry->name_length || memcmp(entry->name, search->name, entry->name_length)) return false;
    search->number = entry->inode;
    return true;
}
static struct inode *lookup(struct inode *directory, const char *name) {
    struct by_name search = {name, 0};
    return each_entry(directory, match, &search) ? make_inode(directory->superblock, search.number) : NULL;
}

struct by_index { u64 index; struct directory_entry *out; u32 number; };
static bool count_down(const struct disk_entry *entry, void *context) {
    struct by_index *search = context;
    if (entry->name[0] == '.' && (entry->name_length == 1 || (entry->name_length == 2 && entry->name[1] == '.'))) return false;
    if (search->index--) return false;
    u32 length = MIN(entry->name_length, sizeof search->out->name - 1);
    *search->out = (struct directory_entry){0};
    memcpy(search->out->name, entry->name, length);
    search->number = entry->inode;
    return true;
}
static bool entry(struct inode *directory, u64 index, struct directory_entry *out) {
    struct by_index search = {index, out, 0};
    if (!each_entry(directory, count_down, &search)) return false;
    struct disk_inode inode;
    if (read_inode(directory->superblock->data, search.number, &inode)) {
        out->type = (inode.mode & S_IFMT) == S_IFDIR ? INODE_DIRECTORY : INODE_FILE;
        out->size = inode.size;
    }
    return true;
}

static const struct inode_operations operations = {lookup, entry, read, NULL};

static struct inode *make_inode(struct superblock *superblock, u32 number) {
    struct disk_inode inode;
    if (!read_inode(superblock->data, number, &inode)) return NULL;
    u32 kind = inode.mode & S_IFMT;
    if (kind != S_IFDIR && kind != S_IFREG) return NULL; // links and devices we leave alone
    return inode_create(superblock, kind == S_IFDIR ? INODE_DIRECTORY : INODE_FILE, number, inode.size, &operations, NULL);
}

struct superblock *ext2_mount(struct block_device *device) {
    u8 sectors[2 * SECTOR];
    struct disk_superblock disk;
    if (!block_read(device, 2, 2, sectors)) { // at byte 1024, whatever the block size
        printf("ext2 on %s: the superblock cannot be read\n", device->name);
        return NULL;
    }
    memcpy(&disk, sectors, sizeof disk);
    const char *wrong = disk.magic != MAGIC                                               ? "no ext2 here"
                        : disk.log_block_size > 2                                         ? "blocks of more than 4 KiB"
                        : disk.incompatible & ~INCOMPATIBLE_FILETYPE                      ? "features that Seedling does not know"
                        : !disk.inodes_per_group || !disk.blocks_per_group                ? "groups without inodes or blocks"
                        : (u64)disk.blocks * (1024u << disk.log_block_size) > device->sectors * SECTOR ? "more blocks than the device has"
                        : disk.revision && (disk.inode_size < 128 || disk.inode_size > 1024) ? "an inode size that cannot be"
                                                                                          : NULL;
    if (wrong) {
        printf("ext2 on %s: %s: not mounted\n", device->name, wrong);
        return NULL;
    }
    struct ext2 *fs = kzalloc(sizeof *fs);
    struct superblock *superblock = kzalloc(sizeof *superblock);
    if (!fs || !superblock) return NULL;
    *fs = (struct ext2){device, 1024u << disk.log_block_size, disk.blocks, disk.inodes, disk.inodes_per_group,
                        disk.revision ? disk.inode_size : 128, (disk.blocks + disk.blocks_per_group - 1) / disk.blocks_per_group, disk.first_block};
    superblock->type = "ext2, read-only";
    superblock->data = fs;
    superblock->root = make_inode(superblock, ROOT_INODE);
    if (superblock->root && superblock->root->type == INODE_DIRECTORY) return superblock;
    printf("ext2 on %s: its root directory is not one: not mounted\n", device->name);
    kfree(fs);
    kfree(superblock);
    return NULL;
}
