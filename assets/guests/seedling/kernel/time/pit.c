#include "time/pit.h"
#include "cpu/cpu.h"
#include "irq/irq.h"

#define CHANNEL0 0x40
#define CHANNEL2 0x42
#define CONTROL 0x43
#define PORT_B 0x61 // bit 0: gate of channel 2, bit 1: the loudspeaker, bit 5: output of channel 2

static void (*on_tick)(void);

static void interrupt(struct trap_frame *frame) {
    (void)frame;
    if (on_tick) on_tick();
}

void pit_start(u64 hz, void (*tick)(void)) {
    u64 divisor = PIT_HZ / hz;
    if (divisor > 0xFFFF) divisor = 0; // 0 counts as 65536
    on_tick = tick;
    outb(CONTROL, 0x34); // channel 0, low then high byte, mode 2: rate generator
    outb(CHANNEL0, (u8)divisor);
    outb(CHANNEL0, (u8)(divisor >> 8));
    irq_install(0, "PIT", interrupt);
}

void pit_stop(void) {
    on_tick = NULL;
    outb(CONTROL, 0x30); // mode 0 and no count: it will not tick again
    irq_mask(0, true);
}

/** It begins between two looks at the clock, and ends between two others. Whoever holds us up just then (an SMI, or the host
 * of an emulator) makes these gaps longer, and so the error larger: it shows. In between it does not matter. */
struct measured pit_measure(u64 periods, u64 (*now)(void)) {
    u8 before = inb(PORT_B);
    outb(PORT_B, (u8)(before & ~3) | 1); // gate open, loudspeaker off
    outb(CONTROL, 0xB0);                 // channel 2, mode 0: output goes high when the count is over
    outb(CHANNEL2, (u8)periods);
    u64 begin = now();
    outb(CHANNEL2, (u8)(periods >> 8)); // the high byte starts it (82C54, mode 0)
    u64 begun = now(), look = begun, not_over;
    do {
        not_over = look; // the output was low when we looked after this
        look = now();
    } while (!(inb(PORT_B) & 0x20));
    u64 longest = now() - begin, shortest = not_over - begun;
    outb(PORT_B, before);
    return (struct measured){(longest + shortest) / 2, (longest - shortest) / 2};
}
