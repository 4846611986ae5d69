// The PS/2 keyboard behind the 8042, scan code set 1 as the controller translates it; US layout.
#include "console/keyboard.h"
#include "console/terminal.h"
#include "cpu/cpu.h"
#include "cpu/trap.h"
#include "irq/irq.h"

#define DATA 0x60
#define STATUS 0x64 // read; bit 0: a byte is waiting, bit 5: it is the mouse's
#define COMMAND 0x64

static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static void key(struct trap_frame *frame) {
    (void)frame;
    static bool shift, control, caps, extended;
    while (inb(STATUS) & 1) {
        bool mouse = inb(STATUS) & 0x20;
        u8 code = inb(DATA);
        if (mouse) continue;
        if (code == 0xE0 || code == 0xE1) {
            extended = true;
            continue;
        }
        bool up = code & 0x80;
        u8 which = code & 0x7F;
        bool gray = extended;
        extended = false;
        if (which == 0x2A || which == 0x36) {
            if (!gray) shift = !up; // E0 2A is a fake shift around the cursor keys
        } else if (which == 0x1D) control = !up;
        else if (!up && which == 0x3A) caps = !caps;
        else if (!up && gray && which == 0x1C) terminal_input('\n'); // Enter of the keypad
        else if (!up && !gray && which < sizeof plain - 1) {
            char c = (shift ? shifted : plain)[which];
            bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            if (caps && letter) c ^= 0x20;
            if (control && letter) c &= 0x1F;
            if (c && c != '\033') terminal_input(c);
        }
    }
}

void keyboard_init(void) {
    if (inb(STATUS) == 0xFF) return; // no controller
    while (inb(STATUS) & 1) inb(DATA);
    irq_install(1, "keyboard", key);
}
