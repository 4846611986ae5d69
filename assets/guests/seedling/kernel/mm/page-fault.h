#pragma once
#include "cpu/trap.h"
/** Demand paging and copy on write. False: this access is an error. */
bool page_fault(struct trap_frame *frame, u64 address);
/** What kind of place a wrong address is, for messages. */
const char *page_fault_hint(u64 address);
