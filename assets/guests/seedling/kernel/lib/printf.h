// printf for the kernel: %d %i %u %x %X %c %s %p %%, with l, ll and z, width, precision for %s, flags - 0 and #.
#pragma once
#include "types.h"

/** Receives the characters one by one. */
typedef void (*sink)(void *context, char character);
void format_to(sink put, void *context, const char *format, va_list arguments);
/** To the console, atomically: two CPUs' lines do not mix. */
void printf(const char *format, ...) PRINTF(1, 2);
void vprintf(const char *format, va_list arguments);
/** Into a buffer, always ended with a 0; answers the length it would have had. */
size_t format(char *buffer, size_t size, const char *format, ...) PRINTF(3, 4);
