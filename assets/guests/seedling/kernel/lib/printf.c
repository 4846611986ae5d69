#include "lib/printf.h"
#include "console/console.h"
#include "lib/string.h"

static void put_many(sink put, void *context, char character, int count) {
    while (count-- > 0) put(context, character);
}

static void put_text(sink put, void *context, const char *text, int length, int width, bool left) {
    if (!left) put_many(put, context, ' ', width - length);
    for (int i = 0; i < length; i++) put(context, text[i]);
    if (left) put_many(put, context, ' ', width - length);
}

static void put_number(sink put, void *context, u64 value, unsigned base, bool negative, bool prefix, bool capital, int width,
                       bool zeros, bool left) {
    char digits[24];
    int length = 0;
    do {
        unsigned digit = (unsigned)(value % base);
        digits[length++] = (char)(digit < 10 ? '0' + digit : (capital ? 'A' : 'a') + digit - 10);
        value /= base;
    } while (value);
    width -= length + negative + (prefix ? 2 : 0);
    if (!left && !zeros) put_many(put, context, ' ', width);
    if (negative) put(context, '-');
    if (prefix) put(context, '0'), put(context, 'x');
    if (!left && zeros) put_many(put, context, '0', width);
    while (length > 0) put(context, digits[--length]);
    if (left) put_many(put, context, ' ', width);
}

void format_to(sink put, void *context, const char *format, va_list arguments) {
    for (; *format; format++) {
        if (*format != '%') {
            put(context, *format);
            continue;
        }
        bool left = false, zeros = false, prefix = false;
        for (format++; *format == '-' || *format == '0' || *format == '#'; format++) {
            left |= *format == '-';
            zeros |= *format == '0';
            prefix |= *format == '#';
        }
        int width = 0, precision = -1, longs = 0;
        if (*format == '*') {
            width = va_arg(arguments, int);
            format++;
        }
        for (; *format >= '0' && *format <= '9'; format++) width = width * 10 + *format - '0';
        if (*format == '.') {
            precision = 0;
            if (*++format == '*') {
                precision = va_arg(arguments, int);
                format++;
            }
            for (; *format >= '0' && *format <= '9'; format++) precision = precision * 10 + *format - '0';
        }
        for (; *format == 'l' || *format == 'z'; format++) longs++;
        switch (*format) {
        case 'd':
        case 'i': {
            s64 value = longs ? va_arg(arguments, s64) : va_arg(arguments, int);
            put_number(put, context, value < 0 ? 0 - (u64)value : (u64)value, 10, value < 0, false, false, width, zeros, left);
            break;
        }
        case 'u':
        case 'x':
        case 'X': {
            u64 value = longs ? va_arg(arguments, u64) : va_arg(arguments, unsigned);
            put_number(put, context, value, *format == 'u' ? 10 : 16, false, prefix, *format == 'X', width, zeros, left);
            break;
        }
        case 'p': put_number(put, context, va_arg(arguments, u64), 16, false, false, false, 16, true, false); break;
        case 'c': {
            char character = (char)va_arg(arguments, int);
            put_text(put, context, &character, 1, width, left);
            break;
        }
        case 's': {
            const char *text = va_arg(arguments, const char *);
            if (!text) text = "(null)";
            int length = 0;
            while ((precision < 0 || length < precision) && text[length]) length++;
            put_text(put, context, text, length, width, left);
            break;
        }
        case 0: return;
        default: put(context, *format);
        }
    }
}

struct buffer { char *text; size_t size, length; };

static void put_buffer(void *context, char character) {
    struct buffer *buffer = context;
    if (buffer->length + 1 < buffer->size) buffer->text[buffer->length] = character;
    buffer->length++;
}

size_t format(char *text, size_t size, const char *format, ...) {
    struct buffer buffer = {text, size, 0};
    va_list arguments;
    va_start(arguments, format);
    format_to(put_buffer, &buffer, format, arguments);
    va_end(arguments);
    if (size) text[MIN(buffer.length, size - 1)] = 0;
    return buffer.length;
}

static void put_console(void *context, char character) {
    (void)context;
    console_put(character);
}

void vprintf(const char *format, va_list arguments) {
    u64 flags = console_lock();
    format_to(put_console, NULL, format, arguments);
    console_unlock(flags);
}

void printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}
