#include "mm/page-fault.h"
#include "cpu/cpu.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/address-space.h"
#include "mm/frames.h"
#include "mm/paging.h"
#include "mm/shootdown.h"
#include "task/task.h"

// Bits of the error code (SDM 3A 4.7).
#define ERROR_PRESENT 1
#define ERROR_WRITE 2
#define ERROR_RESERVED 8
#define ERROR_FETCH 16

/** A write to a page shared since a fork: a copy, or, when all others are gone, the page itself. */
static bool copy_on_write(struct address_space *space, u64 *slot, u64 address) {
    u64 shared = *slot & PAGE_ADDRESS, flags = (*slot & ~PAGE_ADDRESS & ~PAGE_COPY_ON_WRITE) | PAGE_WRITE;
    if (__atomic_load_n(&frame_of(shared)->references, __ATOMIC_ACQUIRE) == 1) {
        *slot = shared | flags;
        invlpg(address); // other CPUs fault on their old entry and find this one: more rights need no shootdown
        return true;
    }
    u64 copy = frame_allocate(0, FRAME_USER);
    if (!copy) return false;
    memcpy(direct(copy), direct(shared), PAGE_SIZE);
    *slot = copy | flags;
    shootdown(space, address, 1); // another thread must not go on reading the old page
    frame_drop(shared);
    space->copies++;
    return true;
}

static bool resolve(struct address_space *space, u64 error, u64 address) {
    struct region *region = space_region(space, address);
    if (!region || region->flags & REGION_GUARD || error & ERROR_RESERVED) return false;
    if (error & ERROR_WRITE && !(region->flags & REGION_WRITE)) return false;
    if (error & ERROR_FETCH && !(region->flags & REGION_EXECUTE)) return false;
    u64 *slot = page_slot(space->pml4, address, false);
    if (!slot || !(*slot & PAGE_PRESENT)) {
        if (space_fill(space, region, address)) return true;
        printf("[%d %s] out of memory: no frame for the page at %llx\n", current_task()->pid, current_task()->name, address);
        return false;
    }
    if (error & ERROR_WRITE && *slot & PAGE_COPY_ON_WRITE) return copy_on_write(space, slot, address);
    // Another thread has resolved the same fault meanwhile, and this CPU's TLB was behind.
    invlpg(address);
    return true;
}

bool page_fault(struct trap_frame *frame, u64 address) {
    struct task *task = current_task();
    if (address >= USER_TOP || !task || !task->space) return false;
    u64 flags = spin_lock(&task->space->lock);
    bool resolved = resolve(task->space, frame->error, ALIGN_DOWN(address, PAGE_SIZE));
    spin_unlock(&task->space->lock, flags);
    if (!resolved && !from_user(frame) && task->copying) {
        // A system call was looking at memory that another thread has unmapped since it was checked, or none is left.
        printf("[%d %s] killed: the kernel could not reach its memory at %llx\n", task->pid, task->name, address);
        task_exit(-VECTOR_PAGE_FAULT);
    }
    return resolved;
}

const char *page_fault_hint(u64 address) {
    if (address < PAGE_SIZE) return " (null pointer)";
    if (is_stack_guard(address)) return " (kernel stack overflow: its guard page)";
    if (address < USER_TOP) return " (not the kernel's half)";
    if (address >= DIRECT_MAP && address < DYNAMIC_BASE) return " (direct map, where there is no RAM)";
    return "";
}
