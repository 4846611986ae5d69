// Strings and blocks of memory. gcc calls memcpy, memmove, memset and memcmp on its own account, even freestanding.
#include "lib/string.h"

void *memcpy(void *to, const void *from, size_t count) {
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
    return start;
}

void *memmove(void *to, const void *from, size_t count) {
    if ((u64)to - (u64)from >= count) return memcpy(to, from, count);
    for (size_t i = count; i-- > 0;) ((volatile u8 *)to)[i] = ((const u8 *)from)[i];
    return to;
}

void *memset(void *to, int value, size_t count) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t count) {
    const u8 *x = a, *y = b;
    for (size_t i = 0; i < count; i++)
        if (x[i] != y[i]) return x[i] - y[i];
    return 0;
}

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length]) length++;
    return length;
}

int strncmp(const char *a, const char *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (a[i] != b[i]) return (u8)a[i] - (u8)b[i];
        if (!a[i]) break;
    }
    return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, (size_t)-1); }

char *strchr(const char *text, int character) {
    for (;; text++) {
        if (*text == (char)character) return (char *)text;
        if (!*text) return NULL;
    }
}

void copy_string(char *to, const char *from, size_t size) {
    if (size == 0) return;
    size_t i = 0;
    for (; i + 1 < size && from[i]; i++) to[i] = from[i];
    to[i] = 0;
}

bool starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

bool parse_number(const char *text, u64 *value) {
    u64 base = 10, result = 0;
    if (text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
    }
    if (!*text) return false;
    for (; *text; text++) {
        u64 digit = *text >= '0' && *text <= '9'   ? (u64)(*text - '0')
                    : *text >= 'a' && *text <= 'f' ? (u64)(*text - 'a' + 10)
                    : *text >= 'A' && *text <= 'F' ? (u64)(*text - 'A' + 10)
                                                   : 99;
        if (digit >= base) break;
        if (result > (~0ull - digit) / base) return false; // does not fit
        result = result * base + digit;
    }
    if (*text == 'k' && !text[1]) result *= 1000;
    else if (*text == 'm' && !text[1]) result *= 1000000;
    else if (*text) return false;
    *value = result;
    return true;
}

bool next_word(const char **text, char *word, size_t size) {
    while (**text == ' ') ++*text;
    size_t length = 0;
    for (; **text && **text != ' '; ++*text)
        if (length + 1 < size) word[length++] = **text;
    if (size) word[length] = 0;
    return length > 0;
}

u64 random_next(struct random *random) {
    u64 x = random->state ? random->state : 0x9E3779B97F4A7C15ull;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return x * 0x2545F4914F6CDD1Dull;
}
