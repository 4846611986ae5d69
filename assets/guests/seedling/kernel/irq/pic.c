#include "irq/pic.h"
#include "cpu/cpu.h"
#include "cpu/trap.h"

#define MASTER 0x20
#define SLAVE 0xA0
#define ICW1_INIT_ICW4 0x11
#define ICW4_8086 0x01
#define OCW2_EOI 0x20
#define OCW3_READ_ISR 0x0B

/** The BIOS has put interrupts 0-7 at vectors 08h-0Fh, on top of the CPU's exceptions. Moves all 16 to 20h-2Fh (8259A, ICW1
 * to ICW4) and masks them, all but the slave's line 2. */
void pic_init(void) {
    static const u8 master[] = {VECTOR_IRQ0, 1 << 2, ICW4_8086}, slave[] = {VECTOR_IRQ0 + 8, 2, ICW4_8086};
    outb(MASTER, ICW1_INIT_ICW4);
    outb(SLAVE, ICW1_INIT_ICW4);
    for (int i = 0; i < 3; i++) {
        outb(MASTER + 1, master[i]);
        io_delay();
        outb(SLAVE + 1, slave[i]);
        io_delay();
    }
    outb(MASTER + 1, 0xFB);
    outb(SLAVE + 1, 0xFF);
}

void pic_mask(unsigned irq, bool masked) {
    u16 port = irq < 8 ? MASTER + 1 : SLAVE + 1;
    u8 bit = (u8)(1 << (irq & 7));
    outb(port, masked ? inb(port) | bit : inb(port) & (u8)~bit);
}

bool pic_in_service(unsigned irq) {
    u16 port = irq < 8 ? MASTER : SLAVE;
    outb(port, OCW3_READ_ISR);
    return inb(port) >> (irq & 7) & 1;
}

/** A line that drops before it is acknowledged gives the lowest priority, 7 or 15 (8259A, "spurious"). */
bool pic_is_spurious(unsigned irq) {
    if ((irq & 7) != 7 || pic_in_service(irq)) return false;
    if (irq == 15) outb(MASTER, OCW2_EOI); // the master did see a real interrupt, from the slave
    return true;
}

void pic_eoi(unsigned irq) {
    if (irq >= 8) outb(SLAVE, OCW2_EOI);
    outb(MASTER, OCW2_EOI);
}
