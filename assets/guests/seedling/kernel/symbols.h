// Names for addresses, from the table that the build puts into .symbols.
#pragma once
#include "types.h"

/** The function an address lies in, NULL if none; *offset: how far. */
const char *symbol_find(u64 address, u64 *offset);
/** "name+0x12" or "?". Valid until the fourth call after this one on the same CPU. */
const char *symbol_text(u64 address);
/** Follows the chain of RBPs (every function keeps one: -fno-omit-frame-pointer), beginning with its caller. */
void print_backtrace(u64 frame_pointer);
void print_backtrace_from(u64 frame_pointer);
