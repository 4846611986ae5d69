#include "mm/shootdown.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/spinlock.h"
#include "cpu/trap.h"
#include "irq/lapic.h"
#include "panic.h"

#define MANY 32 // pages from which on dropping everything is cheaper

bool shootdown_forget;
u64 shootdowns, shootdown_ipis, shootdowns_forgotten;

static struct spinlock lock = SPINLOCK("shootdown"); // one at a time
static struct { u64 address, pages; bool global; } request;
static volatile u32 waiting_for; // a bit for each CPU that has not answered yet

static void flush(u64 address, u64 pages, bool global) {
    if (pages <= MANY) {
        for (u64 i = 0; i < pages; i++) invlpg(address + i * PAGE_SIZE);
    } else if (global && read_cr4() & CR4_PGE) { // only a change of CR4.PGE drops global entries (SDM 3A 4.10.4.1)
        write_cr4(read_cr4() & ~CR4_PGE);
        write_cr4(read_cr4() | CR4_PGE);
    } else write_cr3(read_cr3());
}

void shootdown_serve(void) {
    u32 me = 1u << this_cpu()->index;
    if (!(__atomic_load_n(&waiting_for, __ATOMIC_ACQUIRE) & me)) return;
    flush(request.address, request.pages, request.global);
    __atomic_fetch_and(&waiting_for, ~me, __ATOMIC_RELEASE);
}

void shootdown(struct address_space *space, u64 address, u64 pages) {
    flush(address, pages, !space);
    u64 flags = spin_lock(&lock);
    u32 targets = 0, me = this_cpu()->index;
    // A CPU that switches to the space after we have looked loads CR3 after our change to the table, and cannot have an
    // old translation: the fence puts our change before our look (as the locked instruction in switch_space does there).
    barrier();
    for (u32 i = 0; i < cpu_count; i++)
        if (i != me && cpus[i].online && (!space || cpus[i].space == space)) targets |= 1u << i;
    if (targets && shootdown_forget) {
        shootdowns_forgotten++;
        targets = 0;
    }
    if (targets) {
        shootdowns++;
        request.address = address;
        request.pages = pages;
        request.global = !space;
        __atomic_store_n(&waiting_for, targets, __ATOMIC_RELEASE);
        for (u32 i = 0; i < cpu_count; i++)
            if (targets >> i & 1) {
                lapic_send(cpus[i].apic_id, VECTOR_IPI_SHOOTDOWN);
                shootdown_ipis++;
            }
        while (__atomic_load_n(&waiting_for, __ATOMIC_ACQUIRE)) {
            if (panic_stops_this_cpu()) stop_cpu();
            pause_cpu();
        }
    }
    spin_unlock(&lock, flags);
}

static void interrupt(struct trap_frame *frame) {
    (void)frame;
    shootdown_serve();
    lapic_eoi();
}

void shootdown_init(void) { trap_handle(VECTOR_IPI_SHOOTDOWN, interrupt); }
