// What the core asks of the thread it runs on. Nothing else from the host reaches the guest.

/** Or'ed into the time of hostWait(): it is in microseconds. */
export const WAIT_MICROSECONDS: u32 = 0x80000000

/** Atomics.wait on a u32 of the machine's memory, at most `milliseconds`. 0 woken, 1 value differed, 2 timed out. */
@external('host', 'wait')
export declare function hostWait(address: u32, expected: u32, milliseconds: u32): u32

/** Tells the host thread that an output ring or the machine's state has news. Coalesced by HDR_HOST_WAKE. */
@external('host', 'wake')
export declare function hostWake(): void

/** Host monotonic time in ns. Used by the parallel schedule and for pacing only, never by a device. */
@external('host', 'now')
export declare function hostNow(): u64
