// The one file that is compiled with -fstack-protector-all: gcc puts __stack_chk_guard between the buffers and the return
// address of each function, and looks at it before the function returns.
#include "panic.h"
#include "types.h"

u64 __stack_chk_guard = 0x00FF0A0D5EED5EED; // with a 0 and line ends, which string functions stop at

NORETURN void __stack_chk_fail(void);
NORETURN void __stack_chk_fail(void) { panic("stack smashed: a buffer was written beyond its end"); }

void smash_the_stack(const char *text);
NOINLINE void smash_the_stack(const char *text) {
    char buffer[16];
    for (volatile char *to = buffer; (*to = *text); to++, text++) {} // the bug
    __asm__ volatile("" ::"r"(buffer) : "memory");
}
