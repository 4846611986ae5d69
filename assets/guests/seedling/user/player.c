// player [PATTERN [ROUNDS]]: plays allocation patterns for the eyes: saw (fill up, let go), swiss (every second block goes),
// stack (last in, first out), queue (first in, first out), random.
#include "lib.h"

#define BLOCKS 64
static struct { char *at; size_t size; } blocks[BLOCKS];

static void fill(int i) {
    if (blocks[i].at) return;
    blocks[i].size = (1 + random_number() % 16) * 4096;
    blocks[i].at = map(blocks[i].size);
    for (size_t j = 0; blocks[i].at && j < blocks[i].size; j += 4096) blocks[i].at[j] = (char)i;
}

static void drop(int i) {
    if (blocks[i].at) unmap(blocks[i].at, blocks[i].size);
    blocks[i].at = NULL;
}

static void play(const char *pattern) {
    if (!strcmp(pattern, "saw") || !strcmp(pattern, "stack")) {
        for (int i = 0; i < BLOCKS; i++) fill(i);
        for (int i = BLOCKS - 1; i >= 0; i--) drop(i);
    } else if (!strcmp(pattern, "queue")) {
        for (int i = 0; i < BLOCKS; i++) {
            fill(i);
            if (i >= 16) drop(i - 16);
        }
    } else if (!strcmp(pattern, "swiss")) {
        for (int i = 0; i < BLOCKS; i++) fill(i);
        for (int i = 0; i < BLOCKS; i += 2) drop(i);
        for (int i = 0; i < BLOCKS; i += 2) fill(i);
    } else
        for (int i = 0; i < 4 * BLOCKS; i++) {
            int which = (int)(random_number() % BLOCKS);
            if (blocks[which].at) drop(which);
            else fill(which);
        }
    for (int i = 0; i < BLOCKS; i++) drop(i);
}

int main(const char *arguments) {
    static const char *patterns[] = {"saw", "swiss", "queue", "random"};
    char name[32], pattern[16];
    word(&arguments, name, sizeof name);
    bool one = word(&arguments, pattern, sizeof pattern);
    uint64_t rounds = number(&arguments, 4);
    for (uint64_t round = 0; round < rounds; round++) {
        const char *now = one ? pattern : patterns[round % 4];
        uint64_t start = time_ns();
        play(now);
        printf("player: %s, %lu us\n", now, (time_ns() - start) / 1000);
    }
    return 0;
}
