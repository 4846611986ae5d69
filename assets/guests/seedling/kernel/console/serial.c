#include "console/serial.h"
#include "console/terminal.h"
#include "cpu/cpu.h"
#include "cpu/trap.h"
#include "irq/irq.h"

#define COM1 0x3F8
#define RBR (COM1 + 0) // receive and transmit; divisor low with DLAB
#define IER (COM1 + 1)
#define IIR (COM1 + 2)
#define FCR (COM1 + 2)
#define LCR (COM1 + 3)
#define MCR (COM1 + 4)
#define LSR (COM1 + 5)
#define SCR (COM1 + 7)
#define LSR_DATA_READY 0x01
#define LSR_THR_EMPTY 0x20

static bool present;

void serial_init(void) {
    outb(SCR, 0x5A); // where nobody is, FFh comes back
    present = inb(SCR) == 0x5A;
    if (!present) return;
    outb(IER, 0);
    outb(LCR, 0x80);
    outb(RBR, 1); // 115200 / 1
    outb(IER, 0);
    outb(LCR, 0x03); // 8 bits, no parity, 1 stop bit
    outb(FCR, 0x07); // FIFOs on and empty, interrupt at every byte
    outb(MCR, 0x0B); // DTR, RTS, and OUT2, which lets the interrupt through on a PC
}

bool serial_present(void) { return present; }

void serial_put(char character) {
    if (!present) return;
    for (unsigned patience = 100000; !(inb(LSR) & LSR_THR_EMPTY) && patience; patience--) pause_cpu();
    outb(RBR, (u8)character);
}

static void receive(struct trap_frame *frame) {
    (void)frame;
    while (inb(LSR) & LSR_DATA_READY) terminal_input((char)inb(RBR));
    inb(IIR);
}

void serial_enable_input(void) {
    if (!present) return;
    irq_install(4, "serial", receive);
    outb(IER, 0x01); // received data available
    receive(NULL);   // what came before is in the FIFO and makes no new edge
}
