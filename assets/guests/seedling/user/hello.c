// hello: one line, by SYSCALL, and one by INT 80h.
#include "lib.h"

int main(const char *arguments) {
    static const char by_interrupt[] = "hello by int 80h\n";
    (void)arguments;
    printf("hello from process %d on CPU %ld\n", getpid(), syscall(SYS_CPU, 0, 0, 0));
    syscall80(SYS_WRITE, 1, (long)by_interrupt, sizeof by_interrupt - 1);
    return 0;
}
