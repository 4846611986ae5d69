#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "task/wait.h"

static struct slab_cache inode_cache, dentry_cache, file_cache;
static struct dentry *root;
static MUTEX(names); // the tree of dentries

static struct dentry *dentry_create(struct dentry *parent, const char *name, struct inode *inode) {
    struct dentry *dentry = slab_allocate(&dentry_cache);
    if (!dentry) return NULL;
    *dentry = (struct dentry){.inode = inode, .parent = parent};
    copy_string(dentry->name, name, sizeof dentry->name);
    list_init(&dentry->children);
    list_init(&dentry->sibling);
    if (parent) list_append(&parent->children, &dentry->sibling);
    return dentry;
}

void vfs_init(void) {
    slab_cache_init(&inode_cache, "inode", sizeof(struct inode), 16, NULL);
    slab_cache_init(&dentry_cache, "dentry", sizeof(struct dentry), 16, NULL);
    slab_cache_init(&file_cache, "file", sizeof(struct file), 16, NULL);
    root = dentry_create(NULL, "", NULL);
}

struct inode *inode_create(struct superblock *superblock, enum inode_type type, u64 number, u64 size, const struct inode_operations *operations, void *data) {
    struct inode *inode = slab_allocate(&inode_cache);
    if (inode) *inode = (struct inode){superblock, operations, type, number, size, data};
    return inode;
}

static struct dentry *covered(struct dentry *dentry) {
    while (dentry && dentry->mounted) dentry = dentry->mounted;
    return dentry;
}

static struct dentry *find_child(struct dentry *directory, const char *name) {
    LIST_EACH(node, &directory->children) {
        struct dentry *child = CONTAINER_OF(node, struct dentry, sibling);
        if (!strcmp(child->name, name)) return child;
    }
    struct inode *inode = directory->inode;
    if (!inode || inode->type != INODE_DIRECTORY) return NULL;
    struct inode *found = inode->operations->lookup(inode, name);
    return found ? dentry_create(directory, name, found) : NULL;
}

/** Walks a path; the last name that is missing is made if `make`. */
static struct dentry *walk(const char *path, bool make) {
    struct dentry *at = covered(root);
    char name[60];
    for (;;) {
        while (*path == '/') path++;
        if (!*path) return at;
        size_t length = 0;
        for (; *path && *path != '/'; path++)
            if (length + 1 < sizeof name) name[length++] = *path;
        name[length] = 0;
        if (!strcmp(name, ".")) continue;
        if (!strcmp(name, "..")) {
            // The root of a mounted file system has the directory it covers as its parent.
            if (at->parent) at = covered(at->parent);
            continue;
        }
        struct dentry *child = find_child(at, name);
        if (!child && make) child = dentry_create(at, name, NULL);
        if (!child) return NULL;
        at = covered(child);
    }
}

struct dentry *vfs_lookup(const char *path) {
    mutex_lock(&names);
    struct dentry *dentry = walk(path, false);
    mutex_unlock(&names);
    return dentry;
}

bool vfs_mount(const char *path, struct superblock *superblock) {
    if (!superblock) return false;
    mutex_lock(&names);
    struct dentry *at = walk(path, true);
    if (at) {
        at->mounted = dentry_create(NULL, at->name, superblock->root);
        if (at->mounted) at->mounted->parent = at->parent;
    }
    mutex_unlock(&names);
    return at != NULL;
}

bool vfs_entry(struct dentry *directory, u64 index, struct directory_entry *entry) {
    mutex_lock(&names);
    bool found = false;
    LIST_EACH(node, &directory->children) {
        struct dentry *child = CONTAINER_OF(node, struct dentry, sibling);
        if (child->inode || index--) continue; // the file system itself lists the others
        *entry = (struct directory_entry){.type = INODE_DIRECTORY};
        copy_string(entry->name, child->name, sizeof entry->name);
        found = true;
        break;
    }
    mutex_unlock(&names);
    struct inode *inode = directory->inode;
    if (found || !inode || inode->type != INODE_DIRECTORY) return found;
    return inode->operations->entry(inode, index, entry);
}

struct file *file_open(const char *path) {
    struct dentry *dentry = vfs_lookup(path);
    if (!dentry || (!dentry->inode && list_empty(&dentry->children))) return NULL;
    struct file *file = slab_allocate(&file_cache);
    if (!file) return NULL;
    *file = (struct file){.inode = dentry->inode, .users = 1};
    copy_string(file->path, path, sizeof file->path);
    return file;
}

struct file *file_share(struct file *file) {
    __atomic_fetch_add(&file->users, 1, __ATOMIC_RELAXED);
    return file;
}

void file_close(struct file *file) {
    if (__atomic_sub_fetch(&file->users, 1, __ATOMIC_ACQ_REL) == 0) slab_free(&file_cache, file);
}

s64 file_read(struct file *file, void *buffer, u64 size) {
    if (!file->inode || file->inode->type == INODE_DIRECTORY) return -1;
    s64 count = file->inode->operations->read(file->inode, file->position, buffer, size);
    if (count > 0) file->position += (u64)count;
    return count;
}

s64 file_write(struct file *file, const void *buffer, u64 size) {
    if (!file->inode || !file->inode->operations->write) return -1;
    s64 count = file->inode->operations->write(file->inode, file->position, buffer, size);
    if (count > 0) file->position += (u64)count;
    return count;
}

void *vfs_read_all(const char *path, u64 *size) {
    struct dentry *dentry = vfs_lookup(path);
    struct inode *inode = dentry ? dentry->inode : NULL;
    if (!inode || inode->type != INODE_FILE) return NULL;
    u8 *bytes = kmalloc(MAX(inode->size, 1));
    if (!bytes) {
        printf("%s: no memory for %llu bytes\n", path, inode->size);
        return NULL;
    }
    s64 count = inode->operations->read(inode, 0, bytes, inode->size);
    if (count != (s64)inode->size) {
        printf("%s: cannot be read\n", path);
        kfree(bytes);
        return NULL;
    }
    *size = inode->size;
    return bytes;
}

static void print_mounts(struct dentry *dentry, const char *path) {
    if (dentry->mounted) {
        printf("  %-8s %s\n", *path ? path : "/", dentry->mounted->inode->superblock->type);
        print_mounts(dentry->mounted, path);
    }
    LIST_EACH(node, &dentry->children) {
        struct dentry *child = CONTAINER_OF(node, struct dentry, sibling);
        char below[128];
        format(below, sizeof below, "%s/%s", path, child->name);
        print_mounts(child, below);
    }
}

void mounts_print(void) { print_mounts(root, ""); }
