#include "console/console.h"
#include "console/serial.h"
#include "cpu/spinlock.h"

static struct spinlock lock = SPINLOCK("console");
static const struct screen *screen = &vga_text;
static unsigned column, row;
static u8 color = 0x07;

void console_init_early(void) {
    serial_init();
    vga_text_init();
}

void console_init_framebuffer(void) {
    const struct screen *found = framebuffer_init();
    if (!found) return;
    screen = found;
    column = row = 0;
}

const char *console_screen_name(void) { return screen->name; }
u64 console_lock(void) { return spin_lock(&lock); }
void console_unlock(u64 flags) { spin_unlock(&lock, flags); }
void console_break_lock(void) { lock = (struct spinlock)SPINLOCK("console"); }
void console_color(u8 attribute) { color = attribute; }

static void new_line(void) {
    column = 0;
    if (row + 1 < screen->rows) row++;
    else screen->scroll(color);
}

void console_put(char character) {
    if (character == '\n') serial_put('\r');
    serial_put(character);
    switch (character) {
    case '\n': new_line(); break;
    case '\r': column = 0; break;
    case '\b':
        if (column > 0) column--;
        break;
    case '\t':
        do console_put(' ');
        while (column % 8);
        return;
    default:
        if ((u8)character < ' ') return;
        screen->draw(column, row, (u8)character, color);
        if (++column == screen->columns) new_line();
    }
    screen->cursor(column, row);
}

void console_write(const char *text, size_t length) {
    u64 flags = console_lock();
    for (size_t i = 0; i < length; i++) console_put(text[i]);
    console_unlock(flags);
}
