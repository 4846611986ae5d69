// walker [PAGES]: touches the pages of a new range in order, backwards, in strides and at random; each first touch is a
// page fault, and what follows shows what a TLB is good for.
#include "lib.h"

int main(const char *arguments) {
    static const char *ways[] = {"forwards", "backwards", "stride 16", "random"};
    char name[32];
    word(&arguments, name, sizeof name);
    size_t pages = number(&arguments, 256);
    for (int way = 0; way < 4; way++) {
        volatile char *at = map(pages * 4096);
        if (!at) {
            printf("walker: no room for %lu pages\n", pages);
            return 1;
        }
        uint64_t times[2];
        for (int pass = 0; pass < 2; pass++) { // the first faults, the second does not
            uint64_t start = time_ns();
            for (size_t i = 0; i < pages; i++) {
                size_t page = way == 0 ? i : way == 1 ? pages - 1 - i : way == 2 ? (i * 16 + i * 16 / pages) % pages : random_number() % pages;
                at[page * 4096]++;
            }
            times[pass] = (time_ns() - start) / pages;
        }
        printf("walker: %9s, %4lu ns a page with faults, %4lu ns without\n", ways[way], times[0], times[1]);
        unmap((void *)at, pages * 4096);
    }
    return 0;
}
