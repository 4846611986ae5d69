// The kernel's tests of itself: a line per part.
#pragma once
#include "types.h"
bool selftest_run(void);
bool selftest_part(const char *name);
/** Tests answer NULL, or what was wrong; they may leave a remark for their line. */
typedef const char *(*selftest)(char *remark, size_t size);
const char *test_strings(char *remark, size_t size);
const char *test_rbtree(char *remark, size_t size);
const char *test_bitmap(char *remark, size_t size);
const char *test_buddy(char *remark, size_t size);
const char *test_slab(char *remark, size_t size);
const char *test_paging(char *remark, size_t size);
const char *test_copy_on_write(char *remark, size_t size);
const char *test_clock(char *remark, size_t size);
const char *test_interrupts(char *remark, size_t size);
const char *test_smp(char *remark, size_t size);
const char *test_shootdown(char *remark, size_t size);
const char *test_tasks(char *remark, size_t size);
const char *test_schedulers(char *remark, size_t size);
const char *test_async(char *remark, size_t size);
const char *test_storage(char *remark, size_t size);
const char *test_ext2(char *remark, size_t size);
const char *test_net(char *remark, size_t size);
const char *test_user(char *remark, size_t size);
