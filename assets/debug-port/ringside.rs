//! The Ringside debug port, protocol 1: how a kernel tells the workstation what only it can know. Described in
//! docs/debug-port.md. Copy this file into a `no_std` kernel for x86-64; it is in the public domain (CC0). On any other
//! machine the port is empty: `present()` says no, and an OUT to it does nothing.
//!
//! One `out dx, eax` is one event. EAX says which, RBX, RCX, RSI and RDI are its operands, so that events of several CPUs
//! cannot mix. Nothing is answered and no register changes.
use core::arch::asm;

pub const PORT: u16 = 0x5EEC;
pub const MAGIC: u32 = 0x3147_4E52; // "RNG1": what a 32-bit IN from the port answers

const ALLOCATE: u32 = 1; // RBX address, RCX bytes, RSI pool, RDI caller's address or 0
const FREE: u32 = 2; // the same; RCX may be 0 if the size is not known
const POOL: u32 = 3; // RBX name, RCX its length, RSI pool: what events of this pool are about
const NAMED: u32 = 4; // RBX name, RCX its length, RSI and RDI values: anything
const TASK: u32 = 5; // RBX name, RCX its length, RSI id: this CPU now runs that task

/// Pool 0 holds physical frames, and its addresses are physical; those of all other pools are virtual.
pub const FRAMES: u64 = 0;

pub fn present() -> bool {
    let answer: u32;
    unsafe { asm!("in eax, dx", out("eax") answer, in("dx") PORT, options(nomem, nostack, preserves_flags)) };
    answer == MAGIC
}

fn send(event: u32, b: u64, c: u64, s: u64, d: u64) {
    // LLVM keeps RBX for itself: it is exchanged around the OUT.
    unsafe {
        asm!("xchg rbx, {b}", "out dx, eax", "xchg rbx, {b}",
            b = inout(reg) b => _, in("eax") event, in("dx") PORT, in("rcx") c, in("rsi") s, in("rdi") d,
            options(nostack, preserves_flags));
    }
}

pub fn allocate(pool: u64, address: u64, bytes: u64, caller: u64) {
    send(ALLOCATE, address, bytes, pool, caller);
}
pub fn free(pool: u64, address: u64, bytes: u64, caller: u64) {
    send(FREE, address, bytes, pool, caller);
}
/// Names are at most 63 bytes, and are read before the OUT retires.
pub fn pool(pool: u64, name: &str) {
    send(POOL, name.as_ptr() as u64, name.len() as u64, pool, 0);
}
pub fn named(name: &str, value1: u64, value2: u64) {
    send(NAMED, name.as_ptr() as u64, name.len() as u64, value1, value2);
}
pub fn task(id: u64, name: &str) {
    send(TASK, name.as_ptr() as u64, name.len() as u64, id, 0);
}
