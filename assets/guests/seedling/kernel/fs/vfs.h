// The virtual file system: superblock (a mounted file system), inode (a file), dentry (a name), file (an open file).
#pragma once
#include "lib/list.h"
#include "types.h"

enum inode_type { INODE_FILE, INODE_DIRECTORY, INODE_DEVICE };
struct inode;
struct superblock;

struct directory_entry { char name[60]; u32 type; u32 size; }; // also what readdir hands to programs

struct inode_operations {
    /** A directory's entry of that name; NULL: none. */
    struct inode *(*lookup)(struct inode *directory, const char *name);
    /** The index-th entry; false: there are not so many. */
    bool (*entry)(struct inode *directory, u64 index, struct directory_entry *entry);
    /** Bytes read (fewer at the end of the file), or negative. */
    s64 (*read)(struct inode *inode, u64 offset, void *buffer, u64 size);
    s64 (*write)(struct inode *inode, u64 offset, const void *buffer, u64 size); // NULL: read-only
};
struct inode {
    struct superblock *superblock;
    const struct inode_operations *operations;
    enum inode_type type;
    u64 number, size;
    void *data;
};
struct superblock { const char *type; struct inode *root; void *data; };
struct dentry {
    char name[60];
    struct inode *inode;
    struct dentry *parent;
    struct list children, sibling; // what has been looked up so far
    struct dentry *mounted;        // the root of a file system that covers this one
};
struct file { struct inode *inode; u64 position; u32 users; char path[64]; };

void vfs_init(void);
/** Makes a file system visible at a path; "/" first. A directory that is not there is made (in the name cache only). */
bool vfs_mount(const char *path, struct superblock *superblock);
struct dentry *vfs_lookup(const char *path);
/** NULL: there is none. */
struct file *file_open(const char *path);
struct file *file_share(struct file *file);
void file_close(struct file *file);
s64 file_read(struct file *file, void *buffer, u64 size);
s64 file_write(struct file *file, const void *buffer, u64 size);
/** Names that only mounting made come first. */
bool vfs_entry(struct dentry *directory, u64 index, struct directory_entry *entry);
/** A whole file in memory (kmalloc; at most 4 MiB); NULL with a message. */
void *vfs_read_all(const char *path, u64 *size);
struct inode *inode_create(struct superblock *superblock, enum inode_type type, u64 number, u64 size, const struct inode_operations *operations, void *data);
void mounts_print(void);

/** The file systems. NULL: what is there cannot be used, and why has been printed. */
struct superblock *ustar_mount(const u8 *archive, u64 size);
struct block_device;
struct superblock *ext2_mount(struct block_device *device);
struct superblock *devices_mount(void);
