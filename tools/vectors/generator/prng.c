// The two random streams: the base state, which readers rebuild, and the generator's own choices, which they do not.
#include "vectors.h"

const u64 corners[32] = {
  0, 1, 2, 3, 7, 8, 0x0f, 0x10,
  0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0x100,
  0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
  0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffffffe,
  0x5555555555555555, 0xaaaaaaaaaaaaaaaa, 0x9999999999999999, 0xffffffff80000000,
};

static u32 mix(u32 z) {
  z = (z ^ z >> 16) * 0x21f0aaadu;
  z = (z ^ z >> 15) * 0x735a2d97u;
  return z ^ z >> 15;
}

static u32 step(u32 *state) { return mix(*state += 0x9e3779b9u); }

u32 background32(u32 *state) { return step(state); }

void base_state(u32 formIndex, u32 caseIndex, regs_t *r) {
  u32 s = mix(formIndex << 12 ^ caseIndex ^ (u32)env->mode << 26);
  bool wide = env->mode == 64;
  for (int i = 0; i < 16; i++) {
    u32 kind = step(&s), lo = step(&s), hi = step(&s);
    u64 v = (u64)hi << 32 | lo;
    switch (kind & 7) {
      case 5: v = corners[kind >> 3 & 31]; break;
      case 6: v = (u64)(i64)(int8_t)lo; break;
      case 7: v = 1ull << (kind >> 3 & 63); break;
    }
    r->gpr[i] = wide ? v : i < 8 ? (u32)v : 0;
  }
  u32 k = step(&s);
  r->gpr[RSP] = windows[W_STACK].base - env->segBase[SS] + 0x400 + (k & 0xbf0);
  r->rflags = 0x202 | (step(&s) & (STATUS | DF));
  memcpy(r->seg, env->sel, sizeof r->seg);
}

static u32 own;
void rnd_seed(u32 a, u32 b) { own = mix(a * 0x85ebca6bu ^ mix(b + 0x51ed270bu)); }
u32 rnd(void) { return step(&own); }

u64 value(void) {
  switch (below(8)) {
    case 0: case 1: return corners[below(32)];
    case 2: return (u64)(i64)(int8_t)rnd();
    case 3: return 1ull << below(64);
    default: return rnd64();
  }
}
