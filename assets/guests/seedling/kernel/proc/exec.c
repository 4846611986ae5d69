#include "proc/exec.h"
#include "../abi.h"
#include "cpu/cpu.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/address-space.h"
#include "mm/slab.h"
#include "panic.h"
#include "task/task.h"

struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, program_headers, section_headers;
    u32 flags;
    u16 size, program_header_size, program_header_count, section_header_size, section_header_count, names;
};
struct program_header { u32 type, flags; u64 offset, virtual_address, physical_address, file_size, memory_size, alignment; };
#define PT_LOAD 1
#define PF_X 1
#define PF_W 2

/** Regions for the segments of a program: nothing is read or mapped yet, that is the page-fault handler's. */
static const char *add_segments(struct address_space *space, const struct image *image, u64 *entry) {
    const struct elf_header *elf = (const void *)image->bytes;
    if (image->size < sizeof *elf || memcmp(elf->ident, "\177ELF\2\1", 6) || elf->type != 2 || elf->machine != 62) return "no 64-bit x86 program";
    if (elf->program_header_size != sizeof(struct program_header) ||
        elf->program_headers + (u64)elf->program_header_count * sizeof(struct program_header) > image->size || elf->program_headers > image->size)
        return "its program headers are not all there";
    const struct program_header *segments = (const void *)(image->bytes + elf->program_headers);
    for (unsigned i = 0; i < elf->program_header_count; i++) {
        const struct program_header *s = &segments[i];
        if (s->type != PT_LOAD || s->memory_size == 0) continue;
        u64 skew = s->virtual_address % PAGE_SIZE, start = s->virtual_address - skew;
        if (s->offset > image->size || s->file_size > image->size - s->offset || s->file_size > s->memory_size || skew > s->offset ||
            s->memory_size > GIB || start < PAGE_SIZE)
            return "a segment reaches outside of the file or of the address space";
        struct region region = {
            .start = start,
            .end = ALIGN_UP(s->virtual_address + s->memory_size, PAGE_SIZE),
            .flags = (s->flags & PF_W ? REGION_WRITE : 0) | (s->flags & PF_X ? REGION_EXECUTE : 0),
            .name = s->flags & PF_X ? "text" : s->flags & PF_W ? "data" : "rodata",
            .source = image->bytes + s->offset - skew,
            .source_size = s->file_size + skew,
        };
        if (!space_add_region(space, region)) return "its segments overlap, or memory is out";
    }
    *entry = elf->entry;
    return NULL;
}

/** The arguments as one string at the top of the stack, put there before the process runs: its address, 0: no memory. */
static u64 push_arguments(struct address_space *space, const char *arguments) {
    u64 size = strlen(arguments) + 1, at = ALIGN_DOWN(USER_STACK - size, 16);
    struct region *stack = space_region(space, at);
    u64 first = ALIGN_DOWN(at, PAGE_SIZE);
    for (u64 page = first; page < USER_STACK; page += PAGE_SIZE)
        if (!space_fill(space, stack, page)) return 0;
    switch_space(space); // interrupts are off
    memcpy((void *)at, arguments, size);
    return at;
}

/** Builds the new space and enters it; the old one is gone then. Negative: nothing has changed. */
static int load(const char *path, const char *arguments, u64 *entry, u64 *stack) {
    struct task *task = current_task();
    struct image *image = kzalloc(sizeof *image);
    if (!image) return -1;
    *image = (struct image){.users = 1, .owned = true};
    image->bytes = vfs_read_all(path, &image->size);
    struct address_space *space = image->bytes ? space_create() : NULL;
    if (!space) {
        kfree(image->bytes);
        kfree(image);
        return -1;
    }
    space->image = image;
    const char *wrong = strlen(arguments) > 2000 ? "too many arguments" : add_segments(space, image, entry);
    u64 low = USER_STACK - USER_STACK_SIZE;
    if (!wrong && (!space_add_region(space, (struct region){.start = low, .end = USER_STACK, .flags = REGION_WRITE, .name = "stack"}) ||
                   !space_add_region(space, (struct region){.start = low - PAGE_SIZE, .end = low, .flags = REGION_GUARD, .name = "guard"})))
        wrong = "no room for a stack";
    if (wrong) {
        printf("%s: %s\n", path, wrong);
        space_release(space);
        return -1;
    }
    struct address_space *old = task->space;
    u64 flags = interrupts_save();
    task->space = space;
    *stack = push_arguments(space, arguments);
    if (!*stack) {
        task->space = old;
        switch_space(old);
    }
    interrupts_restore(flags);
    if (!*stack) {
        space_release(space);
        return -1;
    }
    if (old) space_release(old);
    const char *name = path;
    for (const char *c = path; *c; c++)
        if (*c == '/') name = c + 1;
    copy_string(task->name, name, sizeof task->name);
    return 0;
}

int process_exec(struct trap_frame *frame, const char *path, const char *arguments) {
    u64 entry, stack;
    if (load(path, arguments, &entry, &stack)) return -1;
    *frame = (struct trap_frame){.rip = entry, .cs = 0x23, .rflags = 0x202, .rsp = stack - 8, .ss = 0x1B, .rdi = stack};
    return 0;
}

struct start { char path[64], arguments[256]; };

static void run(void *argument) {
    struct start start = *(struct start *)argument;
    kfree(argument);
    u64 entry, stack;
    if (load(start.path, start.arguments, &entry, &stack)) {
        printf("%s: cannot be started\n", start.path);
        return;
    }
    enter_user(entry, stack - 8, stack); // as if called: RSP + 8 is a multiple of 16
}

int process_start(const char *path, const char *arguments) {
    struct start *start = kmalloc(sizeof *start);
    if (!start) return -1;
    copy_string(start->path, path, sizeof start->path);
    copy_string(start->arguments, arguments, sizeof start->arguments);
    struct task *task = task_create("starting", run, start);
    if (!task) {
        kfree(start);
        return -1;
    }
    u64 flags = sched_lock();
    task->parent = current_task();
    sched_unlock(flags);
    return task->pid;
}
