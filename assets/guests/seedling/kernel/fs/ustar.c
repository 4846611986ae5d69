// The initrd: a tar archive in memory (POSIX.1-1988 ustar): headers of 512 bytes, each followed by its file, padded to 512.
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], user[32], group[32],
        major[8], minor[8], prefix[155], padding[12];
};
_Static_assert(sizeof(struct header) == 512, "ustar");

struct node {
    struct list siblings, children;
    char name[60];
    struct inode *inode;
    const u8 *bytes;
};

static s64 octal(const char *digits, unsigned size) {
    s64 value = 0;
    unsigned i = 0;
    while (i < size && digits[i] == ' ') i++;
    for (; i < size && digits[i] && digits[i] != ' '; i++) {
        if (digits[i] < '0' || digits[i] > '7') return -1;
        value = value * 8 + digits[i] - '0';
    }
    return value;
}

/** The sum of the header's bytes, with those of the sum itself taken for spaces. */
static s64 checksum(const struct header *header) {
    s64 sum = 0;
    for (unsigned i = 0; i < sizeof *header; i++) {
        bool own = i >= offsetof(struct header, checksum) && i < offsetof(struct header, checksum) + 8;
        sum += own ? ' ' : ((const u8 *)header)[i];
    }
    return sum;
}

static struct node *child_of(struct node *directory, const char *name) {
    LIST_EACH(item, &directory->children) {
        struct node *node = CONTAINER_OF(item, struct node, siblings);
        if (!strcmp(node->name, name)) return node;
    }
    return NULL;
}

static struct inode *lookup(struct inode *directory, const char *name) {
    struct node *node = child_of(directory->data, name);
    return node ? node->inode : NULL;
}

static bool entry(struct inode *directory, u64 index, struct directory_entry *out) {
    LIST_EACH(item, &((struct node *)directory->data)->children) {
        if (index--) continue;
        struct node *node = CONTAINER_OF(item, struct node, siblings);
        *out = (struct directory_entry){.type = node->inode->type, .size = (u32)node->inode->size};
        copy_string(out->name, node->name, sizeof out->name);
        return true;
    }
    return false;
}

static s64 read(struct inode *inode, u64 offset, void *buffer, u64 size) {
    if (offset >= inode->size) return 0;
    size = MIN(size, inode->size - offset);
    memcpy(buffer, ((struct node *)inode->data)->bytes + offset, size);
    return (s64)size;
}

static const struct inode_operations operations = {lookup, entry, read, NULL};

static struct node *make(struct superblock *superblock, struct node *parent, const char *name, enum inode_type type, u64 number, const u8 *bytes, u64 size) {
    struct node *node = kzalloc(sizeof *node);
    if (!node || !(node->inode = inode_create(superblock, type, number, size, &operations, node))) return NULL;
    copy_string(node->name, name, sizeof node->name);
    node->bytes = bytes;
    list_init(&node->children);
    list_init(&node->siblings);
    if (parent) list_append(&parent->children, &node->siblings);
    return node;
}

/** Puts a path into the tree, with the directories on the way. */
static void add(struct superblock *superblock, const char *path, char type, u64 number, const u8 *bytes, u64 size) {
    struct node *at = superblock->root->data;
    char name[60];
    while (at) {
        size_t length = 0;
        while (*path == '/') path++;
        if (!*path) return;
        for (; *path && *path != '/'; path++)
            if (length + 1 < sizeof name) name[length++] = *path;
        name[length] = 0;
        bool last = !*path || !path[1];
        if (!strcmp(name, ".")) continue;
        struct node *child = child_of(at, name);
        if (!child)
            child = last && type != '5' ? make(superblock, at, name, INODE_FILE, number, bytes, size)
                                        : make(superblock, at, name, INODE_DIRECTORY, number, NULL, 0);
        at = child;
    }
}

static bool is_empty(const u8 *block) {
    for (int i = 0; i < 512; i++)
        if (block[i]) return false;
    return true;
}

struct superblock *ustar_mount(const u8 *archive, u64 size) {
    struct superblock *superblock = kzalloc(sizeof *superblock);
    if (!superblock) return NULL;
    superblock->type = "ustar initrd";
    struct node *root = make(superblock, NULL, "", INODE_DIRECTORY, 1, NULL, 0);
    if (!root) return NULL;
    superblock->root = root->inode;
    u64 number = 2, at = 0;
    while (at + 512 <= size) {
        const struct header *header = (const void *)(archive + at);
        if (is_empty(archive + at)) { // two such blocks end an archive; one is enough for us
            if (number == 2) printf("initrd: it has no files\n");
            return superblock;
        }
        s64 length = octal(header->size, sizeof header->size);
        const char *wrong = memcmp(header->magic, "ustar", 5)                                               ? "no ustar header"
                            : octal(header->checksum, sizeof header->checksum) != checksum(header)          ? "a wrong checksum"
                            : length < 0 || at + 512 + (u64)length > size                                   ? "a file that ends behind the archive"
                                                                                                            : NULL;
        if (wrong) {
            printf("initrd: %s at offset %llu: using the %llu files before it\n", wrong, at, number - 2);
            return superblock;
        }
        char path[260];
        if (header->prefix[0]) format(path, sizeof path, "%.155s/%.100s", header->prefix, header->name);
        else format(path, sizeof path, "%.100s", header->name);
        if (header->type == '0' || header->type == 0 || header->type == '5') add(superblock, path, header->type, number++, archive + at + 512, (u64)length);
        at += 512 + ALIGN_UP((u64)length, 512);
    }
    printf("initrd: it ends without its end mark: using the %llu files found\n", number - 2);
    return superblock;
}
