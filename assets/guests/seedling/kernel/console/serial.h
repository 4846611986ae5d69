// COM1, a 16550A (PC16550D datasheet).
#pragma once
#include "types.h"

void serial_init(void);
void serial_put(char character);
/** Bytes received make interrupt 4 and go to the terminal. */
void serial_enable_input(void);
bool serial_present(void);
