// forkstorm [ROUNDS [CHILDREN]]: processes come and go; each child writes to some of the pages it shares with its parent.
#include "lib.h"

static char shared[64 * 4096];

int main(const char *arguments) {
    char name[32];
    word(&arguments, name, sizeof name);
    uint64_t rounds = number(&arguments, 20), children = number(&arguments, 8), started = 0, start = time_ns();
    for (size_t i = 0; i < sizeof shared; i += 4096) shared[i] = 1;
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i < children; i++) {
            int pid = fork();
            if (pid < 0) break;
            if (pid == 0) {
                for (int j = 0; j < 16; j++) shared[random_number() % sizeof shared] = (char)j;
                if (random_number() % 4 == 0) sleep_ms(10);
                exit(0);
            }
            started++;
        }
        int code;
        while (wait(-1, &code) > 0) {}
    }
    for (size_t i = 0; i < sizeof shared; i += 4096)
        if (shared[i] != 1) {
            printf("forkstorm: a child's write shows in its parent, at page %lu\n", i / 4096);
            return 1;
        }
    printf("forkstorm: %lu processes in %lu ms\n", started, (time_ns() - start) / 1000000);
    return 0;
}
