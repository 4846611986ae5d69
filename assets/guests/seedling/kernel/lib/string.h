#pragma once
#include "types.h"

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t count);
char *strchr(const char *text, int character);
/** Copies at most size - 1 characters and always ends with a 0 (if size > 0). */
void copy_string(char *to, const char *from, size_t size);
bool starts_with(const char *text, const char *prefix);
/** A number in decimal or, with 0x, in hexadecimal, with an optional k or m behind it. False: something else. */
bool parse_number(const char *text, u64 *value);
/** Takes the next word (separated by spaces) off *text into word; false when there is none. Cuts what is too long. */
bool next_word(const char **text, char *word, size_t size);

/** Pseudo-random numbers for tests: xorshift64* (Vigna, 2016), the same sequence for the same seed. */
struct random { u64 state; };
u64 random_next(struct random *random);
/** 0 .. limit - 1. */
static inline u64 random_below(struct random *random, u64 limit) { return (random_next(random) >> 11) % limit; }
