// Tests of disks, file systems, the network's lower half and of programs.
#include "boot-info.h"
#include "fs/block.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/slab.h"
#include "proc/exec.h"
#include "task/task.h"
#include "test/selftest.h"

const char *test_storage(char *remark, size_t size) {
    struct block_device *ram = block_find("ram0");
    u8 out[3 * SECTOR], in[3 * SECTOR];
    for (unsigned i = 0; i < sizeof out; i++) out[i] = (u8)(i * 7);
    if (ram) {
        if (!block_write(ram, 5, 3, out) || !block_read(ram, 5, 3, in) || memcmp(in, out, sizeof in)) return "the RAM disk does not keep what is written";
        if (block_read(ram, ram->sectors - 1, 2, in) || block_write(ram, ram->sectors, 1, in)) return "the RAM disk can be read behind its end";
        // The same through the VFS, at an offset that is no multiple of a sector.
        struct file *file = file_open("/dev/ram0");
        if (!file) return "/dev/ram0 cannot be opened";
        file->position = 700;
        bool done = file_write(file, "seedling", 8) == 8;
        file->position = 700;
        done = done && file_read(file, in, 8) == 8 && !memcmp(in, "seedling", 8);
        file_close(file);
        if (!done) return "/dev/ram0 does not keep what is written";
    }
    if (boot_info.initrd_size) {
        u64 length;
        char *readme = vfs_read_all("/README", &length);
        if (!readme || length < 8 || memcmp(readme, "Seedling", 8)) return "/README is not in the initrd";
        kfree(readme);
        if (vfs_lookup("/bin/../bin/./shell") == NULL || vfs_lookup("/README/x") || vfs_lookup("/nothing")) return "paths are not walked rightly";
    }
    // A broken archive must be used as far as it is whole, and no further.
    u8 *broken = kzalloc(4 * SECTOR);
    struct superblock *none = broken ? ustar_mount(broken, 100) : NULL;
    if (broken && (!none || none->root->operations->lookup(none->root, "x"))) return "an empty archive has files";
    kfree(broken);
    // A disk sector that is read twice is the same twice, and the last one can be read, the one behind it not.
    struct block_device *disk = NULL;
    for (unsigned i = 0; i < block_device_count && !disk; i++)
        if (starts_with(block_devices[i]->name, "hd")) disk = block_devices[i];
    if (disk) {
        if (!block_read(disk, 0, 3, out) || !block_read(disk, 0, 3, in) || memcmp(in, out, sizeof in)) return "the disk cannot be read, or not twice";
        if (!block_read(disk, disk->sectors - 1, 1, in) || block_read(disk, disk->sectors, 1, in)) return "the disk's end is elsewhere";
        // Sector 0, written with what it holds.
        if (!block_write(disk, 0, 1, out) || !block_read(disk, 0, 1, in) || memcmp(in, out, SECTOR)) return "the disk cannot be written";
    }
    format(remark, size, "%s, %s", ram ? "ram0" : "no RAM disk", disk ? disk->name : "no disk");
    return NULL;
}

const char *test_ext2(char *remark, size_t size) {
    if (!vfs_lookup("/disk")) {
        format(remark, size, "no partition with ext2 here, nothing tested");
        return NULL;
    }
    u64 length;
    char *numbers = vfs_read_all("/disk/numbers", &length);
    if (!numbers || length != 7680 * 8) return "/disk/numbers cannot be read"; // 60 blocks: beyond the inode's own twelve
    for (u64 i = 0; i < 7680; i++) {
        char line[16];
        format(line, sizeof line, "%7llu\n", i);
        if (memcmp(numbers + i * 8, line, 8)) {
            kfree(numbers);
            return "a block of /disk/numbers is in the wrong place";
        }
    }
    kfree(numbers);
    char *treasure = vfs_read_all("/disk/deep/er/treasure", &length);
    if (!treasure || memcmp(treasure, "You have found it.\n", 19)) return "/disk/deep/er/treasure cannot be read";
    kfree(treasure);
    struct file *file = file_open("/disk/poem");
    if (!file || file_write(file, "x", 1) >= 0) return "a read-only file system can be written";
    file_close(file);
    struct directory_entry entry;
    u64 entries = 0;
    while (vfs_entry(vfs_lookup("/disk"), entries, &entry)) entries++;
    if (entries < 3) return "the root directory is not complete";

    // Every kind of nonsense on a copy in memory: an error, never a crash or a loop.
    struct block_device *ram = block_find("ram0"), *disk = NULL;
    for (unsigned i = 0; i < block_device_count && !disk; i++)
        if (block_devices[i]->start) disk = block_devices[i];
    u64 tries = 0;
    if (ram && disk && ram->sectors >= disk->sectors) {
        struct random random = {42};
        u8 sector[SECTOR];
        // The superblock, the group descriptors and the first tables are in the first 64 sectors.
        for (u64 lba = 0; lba < disk->sectors; lba++)
            if (!block_read(disk, lba, 1, sector) || !block_write(ram, lba, 1, sector)) return "the partition cannot be copied";
        printf("ext2: now with nonsense in its tables (what it says is wanted):\n");
        for (; tries < 12; tries++) {
            u64 lba = 2 + random_below(&random, 40), saved_lba = lba;
            u8 saved[SECTOR];
            block_read(ram, lba, 1, saved);
            memcpy(sector, saved, SECTOR);
            for (int i = 0; i < 32; i++) sector[random_below(&random, SECTOR)] = (u8)random_next(&random);
            block_write(ram, lba, 1, sector);
            struct superblock *superblock = ext2_mount(ram);
            if (superblock) {
                u8 buffer[64];
                for (u64 i = 0; i < 40 && superblock->root->operations->entry(superblock->root, i, &entry); i++) {
                    struct inode *inode = superblock->root->operations->lookup(superblock->root, entry.name);
                    if (inode && inode->type == INODE_FILE) inode->operations->read(inode, 20000, buffer, sizeof buffer);
                }
            }
            block_write(ram, saved_lba, 1, saved);
        }
    }
    format(remark, size, "%llu entries, %llu kinds of damage survived", entries, tries);
    return NULL;
}

const char *test_user(char *remark, size_t size) {
    u64 before = frames_free();
    int code = -1, pid = process_start("/bin/usertest", "usertest");
    if (pid < 0 || task_wait(pid, &code) != pid) return "/bin/usertest cannot be started";
    if (code != 0) {
        format(remark, size, "check %d", code);
        return "a check of /bin/usertest";
    }
    task_sleep(50000000);
    s64 lost = (s64)before - (s64)frames_free();
    if (lost > 64) return "processes that have ended keep frames";
    format(remark, size, "fork, exec, wait, faults, maps, files, threads by SYSCALL and INT 80h");
    return NULL;
}
