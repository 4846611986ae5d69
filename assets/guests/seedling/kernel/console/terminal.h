// The terminal: characters from the keyboard and COM1 become lines for whoever reads, with echo and editing.
#pragma once
#include "types.h"

/** From an interrupt. */
void terminal_input(char character);
/** Waits for a line (or the end of file, Ctrl-D); answers its length with the \n, 0 at the end of file. */
size_t terminal_read(char *buffer, size_t size);
/** Who gets Ctrl-C: a process id, 0 for nobody. */
void terminal_set_foreground(int pid);
