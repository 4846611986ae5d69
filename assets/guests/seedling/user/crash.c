// crash [KIND]: what a process must not do: null, kernel (read its memory), text (write to its own code), stack (run out of
// it), execute (data), port, halt, divide, opcode. The kernel ends it and lives on.
#include "lib.h"

static char data[16] = "\xC3"; // RET

static int deeper(int n) {
    volatile char room[4096];
    room[0] = (char)n;
    return n < 0 ? 0 : deeper(n + 1) + room[0];
}

int main(const char *arguments) {
    char name[32], kind[16];
    word(&arguments, name, sizeof name);
    if (!word(&arguments, kind, sizeof kind)) memcpy(kind, "null", 5);
    if (!strcmp(kind, "null")) *(volatile int *)(uintptr_t)strcmp(kind, "null") = 1;
    else if (!strcmp(kind, "kernel")) (void)*(volatile int *)0xFFFFFFFF80100000;
    else if (!strcmp(kind, "text")) *(volatile char *)(uintptr_t)main = 0;
    else if (!strcmp(kind, "stack")) return deeper(0);
    else if (!strcmp(kind, "execute")) ((void (*)(void))(uintptr_t)data)();
    else if (!strcmp(kind, "port")) __asm__ volatile("outb %%al, $0x80" ::"a"(0));
    else if (!strcmp(kind, "halt")) __asm__ volatile("hlt");
    else if (!strcmp(kind, "divide")) __asm__ volatile("divl %0" ::"r"(0), "a"(1), "d"(0));
    else if (!strcmp(kind, "opcode")) __asm__ volatile("ud2");
    else printf("crash: null, kernel, text, stack, execute, port, halt, divide or opcode\n");
    return 1;
}
