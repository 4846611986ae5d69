#include "lib.h"

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length]) length++;
    return length;
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

void *memset(void *to, int value, size_t size) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return start;
}

void *memcpy(void *to, const void *from, size_t size) {
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
    return start;
}

bool word(const char **text, char *out, size_t size) {
    while (**text == ' ') ++*text;
    size_t length = 0;
    for (; **text && **text != ' '; ++*text)
        if (length + 1 < size) out[length++] = **text;
    out[length] = 0;
    return length > 0;
}

uint64_t number(const char **text, uint64_t otherwise) {
    char digits[24];
    if (!word(text, digits, sizeof digits)) return otherwise;
    uint64_t value = 0;
    for (const char *d = digits; *d; d++) {
        if (*d < '0' || *d > '9') return otherwise;
        value = value * 10 + (uint64_t)(*d - '0');
    }
    return value;
}

uint64_t random_number(void) { // xorshift64*, seeded by who we are
    static uint64_t state;
    if (!state) state = (uint64_t)getpid() * 0x9E3779B97F4A7C15u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1Du;
}

/** %d %u %x %s %c %%, with l and a width. A line is written at once, so that those of several programs do not mix. */
void printf(const char *format, ...) {
    char buffer[512];
    size_t length = 0;
    va_list arguments;
    va_start(arguments, format);
    for (; *format && length < sizeof buffer - 32; format++) {
        if (*format != '%') {
            buffer[length++] = *format;
            continue;
        }
        unsigned width = 0, longs = 0;
        for (format++; *format >= '0' && *format <= '9'; format++) width = width * 10 + (unsigned)(*format - '0');
        for (; *format == 'l'; format++) longs++;
        char digits[24];
        const char *text = digits;
        char *end = digits + sizeof digits - 1;
        *end = 0;
        if (*format == 's') text = va_arg(arguments, const char *);
        else if (*format == 'c') *--end = (char)va_arg(arguments, int), text = end;
        else if (*format == 'd' || *format == 'u' || *format == 'x') {
            uint64_t value = longs ? va_arg(arguments, uint64_t)
                             : *format == 'd' ? (uint64_t)(int64_t)va_arg(arguments, int)
                                              : va_arg(arguments, unsigned);
            bool negative = *format == 'd' && (int64_t)value < 0;
            if (negative) value = 0 - value;
            unsigned base = *format == 'x' ? 16 : 10;
            do *--end = "0123456789abcdef"[value % base];
            while (value /= base);
            if (negative) *--end = '-';
            text = end;
        } else *--end = *format, text = end;
        for (size_t i = strlen(text); i < width && length < sizeof buffer - 1; i++) buffer[length++] = ' ';
        while (*text && length < sizeof buffer - 1) buffer[length++] = *text++;
    }
    va_end(arguments);
    write(1, buffer, length);
}
