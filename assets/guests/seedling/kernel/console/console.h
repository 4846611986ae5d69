// Where text goes: COM1 always, and the screen, in text mode or drawn into a framebuffer.
#pragma once
#include "types.h"

/** Before anything else: COM1 and text mode. */
void console_init_early(void);
/** When device memory can be mapped: changes to the framebuffer, if there is one. */
void console_init_framebuffer(void);
u64 console_lock(void);
void console_unlock(u64 flags);
/** For a panic: whoever holds the lock will not give it back. */
void console_break_lock(void);
/** With the lock held. Knows \n, \r, \t and \b. */
void console_put(char character);
void console_write(const char *text, size_t length);
/** VGA attribute for what follows: background in bits 7:4, text in bits 3:0. */
void console_color(u8 attribute);
/** Drops everything printed on the screen, not on COM1 (for benchmarks of the rest). */
const char *console_screen_name(void);

/** A screen: a grid of cells. */
struct screen {
    const char *name;
    unsigned columns, rows;
    void (*draw)(unsigned column, unsigned row, u8 character, u8 attribute);
    void (*scroll)(u8 attribute); // up by one line
    void (*cursor)(unsigned column, unsigned row);
};
extern const struct screen vga_text;
void vga_text_init(void);
/** NULL when the loader set none or it cannot be used. */
const struct screen *framebuffer_init(void);
