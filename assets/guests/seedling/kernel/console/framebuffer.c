// Text drawn into a linear framebuffer of 32 bits per pixel, with the 8x16 font of the ROM.
#include "boot-info.h"
#include "console/console.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/paging.h"

extern const u8 font_8x16[256][16];

static volatile u8 *pixels;
static struct screen screen;
// What is on the screen: scrolling by reading a framebuffer would be slow, its memory is not cached.
static u16 cells[128 * 256];
static unsigned cursor_column, cursor_row;
static u32 palette[16];

static void draw_cell(unsigned column, unsigned row, bool inverse) {
    u16 cell = cells[row * screen.columns + column];
    u32 text = palette[cell >> 8 & 15], back = palette[cell >> 12];
    if (inverse) text ^= back, back ^= text, text ^= back;
    for (unsigned y = 0; y < 16; y++) {
        u8 bits = font_8x16[cell & 0xFF][y];
        volatile u32 *line = (volatile u32 *)(pixels + (u64)(row * 16 + y) * boot_info.framebuffer.pitch) + column * 8;
        for (unsigned x = 0; x < 8; x++) line[x] = bits >> (7 - x) & 1 ? text : back;
    }
}

static void draw(unsigned column, unsigned row, u8 character, u8 attribute) {
    cells[row * screen.columns + column] = (u16)(attribute << 8 | character);
    draw_cell(column, row, false);
}

static void scroll(u8 attribute) {
    for (unsigned row = 0; row < screen.rows; row++)
        for (unsigned column = 0; column < screen.columns; column++) {
            u16 *cell = &cells[row * screen.columns + column];
            u16 next = row + 1 < screen.rows ? cell[screen.columns] : (u16)(attribute << 8 | ' ');
            if (*cell == next) continue; // most of a screen is blank
            *cell = next;
            draw_cell(column, row, false);
        }
}

static void cursor(unsigned column, unsigned row) {
    draw_cell(cursor_column, cursor_row, false);
    cursor_column = MIN(column, screen.columns - 1);
    cursor_row = row;
    draw_cell(cursor_column, cursor_row, true);
}

const struct screen *framebuffer_init(void) {
    const struct framebuffer_info *fb = &boot_info.framebuffer;
    if (!fb->address || fb->bpp != 32) return NULL;
    screen = (struct screen){"framebuffer", fb->width / 8, fb->height / 16, draw, scroll, cursor};
    if (screen.columns == 0 || screen.rows == 0 || screen.columns * screen.rows > COUNT_OF(cells)) {
        printf("framebuffer: %ux%u is more than this console can do\n", fb->width, fb->height);
        return NULL;
    }
    pixels = map_device(fb->address, (u64)fb->pitch * fb->height);
    if (!pixels) return NULL;
    for (unsigned i = 0; i < 16; i++) { // the colours of the CGA, blue in bit 0
        u32 high = i & 8 ? 0x55 : 0, r = (i & 4 ? 0xAA : 0) + high, g = (i & 2 ? 0xAA : 0) + high, b = (i & 1 ? 0xAA : 0) + high;
        if (i == 6) g = 0x55; // and its brown
        palette[i] = r << fb->red | g << fb->green | b << fb->blue;
    }
    for (unsigned row = 0; row < screen.rows; row++)
        for (unsigned column = 0; column < screen.columns; column++) draw(column, row, ' ', 0x07);
    return &screen;
}
