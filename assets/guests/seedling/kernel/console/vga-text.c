// VGA text mode 3: 80 x 25 cells of character and attribute at B8000h.
#include "console/console.h"
#include "cpu/cpu.h"
#include "lib/string.h"

#define COLUMNS 80
#define ROWS 25
#define CRTC 0x3D4
#define CELLS ((volatile u16 *)direct(0xB8000))

static void draw(unsigned column, unsigned row, u8 character, u8 attribute) {
    CELLS[row * COLUMNS + column] = (u16)(attribute << 8 | character);
}

static void scroll(u8 attribute) {
    for (unsigned i = 0; i < (ROWS - 1) * COLUMNS; i++) CELLS[i] = CELLS[i + COLUMNS];
    for (unsigned column = 0; column < COLUMNS; column++) draw(column, ROWS - 1, ' ', attribute);
}

static void cursor(unsigned column, unsigned row) {
    unsigned at = row * COLUMNS + column;
    outb(CRTC, 0x0E);
    outb(CRTC + 1, (u8)(at >> 8));
    outb(CRTC, 0x0F);
    outb(CRTC + 1, (u8)at);
}

void vga_text_init(void) {
    for (unsigned row = 0; row < ROWS; row++)
        for (unsigned column = 0; column < COLUMNS; column++) draw(column, row, ' ', 0x07);
}

const struct screen vga_text = {"VGA text 80x25", COLUMNS, ROWS, draw, scroll, cursor};
