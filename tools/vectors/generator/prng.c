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
  u32 s = mix(formIndex << 12 ^ caseIndex ^ (u32)env->mode << 26 ^ seed);
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

// An extended value of one of sixteen classes, made from three random words.
void x87_value(u32 kind, u32 lo, u32 hi, u16 *se, u64 *sig) {
  const u64 top = 1ull << 63;
  static const u16 cornerSe[16] = {0, 0, 0x3fff, 0x3fff, 0x3ffe, 0x4000, 0x7fff, 0x7fff, 0x7fff, 0x7ffe, 1, 0, 0, 0x4000, 0x3ffe, 0x403e};
  static const u64 cornerSig[16] = {0, 0, 1ull << 63, 1ull << 63, 1ull << 63, 1ull << 63, 1ull << 63, 3ull << 62, 5ull << 61, ~0ull,
                                    1ull << 63, 1, 1ull << 63, 0xc90fdaa22168c235, ~0ull, 1ull << 63};
  u64 raw = (u64)hi << 32 | lo;
  u32 n = kind >> 4;
  u16 sign = (u16)(kind >> 31 << 15);
  u16 e;
  u64 m = raw | top;
  switch (kind & 15) {
    case 7: e = n & 0x7fff; break;
    case 8:
      m = (lo & (n & 1 ? 0xff : 0xffffff)) | 1;
      e = 0x3fff + 63;
      while (!(m & top)) m <<= 1, e--;
      break;
    case 9: e = cornerSe[n & 15]; m = cornerSig[n & 15]; break;
    case 10: e = (u16)(0x3fff - 4 + (n & 7)); m = top | 1ull << (lo & 63) | (u64)(hi & 1) << (hi >> 1 & 63); break;
    case 11: e = (u16)(0x3ffe + (n & 3)); m = ~0ull << (lo & 63) | top; break;
    case 12: e = 0; m = raw >> (n & 63); break;
    case 13: e = n & 4 ? (u16)(1 + (n & 3)) : (u16)(0x7ffe - (n & 3)); break;
    case 14: e = n & 1 ? 0x7fff : n >> 1 & 0x7fff; m = n & 0x10000 ? raw | top : raw; break;
    case 15: e = (u16)(0x3fff - 16 + (n & 31)); m &= n & 32 ? ~0x7ffull : ~0xffffffffffull; break;
    default: e = (u16)(0x3fff - 32 + (n & 63));
  }
  *se = sign | e;
  *sig = m;
}

// The x87 every case of an x87 file begins with, unless its record says otherwise.
void base_x87(u32 formIndex, u32 caseIndex, x87_t *x) {
  u32 s = mix(formIndex << 12 ^ caseIndex ^ (u32)env->mode << 26 ^ 0x387 ^ seed);
  u32 k = step(&s), t = step(&s);
  u16 masks = (k & 7) < 6 ? 0x3f : (k & 7) == 6 ? k >> 3 & 0x3f : 0;
  u16 rc = k >> 11 & 1 ? k >> 9 & 3 : 0;
  u16 pc = k >> 14 & 1 ? 3 : k >> 12 & 3;
  if (pc == 1) pc = 3;
  x->fcw = 0x40 | masks | (u16)(rc << 10 | pc << 8);
  x->tags = (k >> 19 & 7) == 0 ? (u8)(k >> 22) : 0xff;
  u16 sticky = (t >> 16 & 3) == 0 ? t & 0x7f : 0;
  if (t >> 18 & 7) sticky &= masks | 0x40;
  x->fsw = (u16)((t & 0x4700) | (k >> 16 & 7) << 11 | sticky);
  if (sticky & ~masks & 0x3f) x->fsw |= 0x8080;
  for (int i = 0; i < 8; i++) {
    u32 kind = step(&s), lo = step(&s), hi = step(&s);
    x87_value(kind, lo, hi, &x->se[i], &x->sig[i]);
  }
}

static u32 own;
void rnd_seed(u32 a, u32 b) { own = mix(a * 0x85ebca6bu ^ mix(b + 0x51ed270bu) ^ seed); }
u32 rnd(void) { return step(&own); }

u64 value(void) {
  switch (below(8)) {
    case 0: case 1: return corners[below(32)];
    case 2: return (u64)(i64)(int8_t)rnd();
    case 3: return 1ull << below(64);
    default: return rnd64();
  }
}
