// The vector registers every case begins with, from the same kind of stream as base_state(); a reader rebuilds them.
#include "vectors.h"

static const u32 corners32f[32] = {
  0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000,
  0x7f800001, 0xff800001, 0x7fbfffff, 0xffbfffff, 0x7fffffff, 0xffffffff, 0x7f7fffff, 0xff7fffff,
  0x00800000, 0x80800000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x40000000, 0x3f000000,
  0x4f000000, 0xcf000000, 0x5f000000, 0xdf000000, 0x4effffff, 0x3f7fffff, 0x3f800001, 0x40490fdb,
};
static const u64 corners64f[32] = {
  0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
  0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000000,
  0x7ff0000000000001, 0xfff0000000000001, 0x7ff7ffffffffffff, 0xfff7ffffffffffff,
  0x7fffffffffffffff, 0xffffffffffffffff, 0x7fefffffffffffff, 0xffefffffffffffff,
  0x0010000000000000, 0x8010000000000000, 0x0000000000000001, 0x8000000000000001,
  0x000fffffffffffff, 0x800fffffffffffff, 0x41dfffffffc00000, 0xc1e0000000000000,
  0x41e0000000000000, 0x43e0000000000000, 0xc3e0000000000000, 0x43dfffffffffffff,
  0x3fefffffffffffff, 0x3ff0000000000001, 0x3fe0000000000000, 0x400921fb54442d18,
};

static u32 single(u32 kind, u32 x) {
  u32 n = kind >> 4, bits = x & 0x807fffff;
  switch (kind & 15) {
    case 0: case 1: return corners32f[n & 31];
    case 2: return bits | (124 + (n & 7)) << 23;
    case 3: case 4: return (x & 0x80780000) | (124 + (n & 7)) << 23;
    case 5: return bits;
    case 6: return x;
    case 7: return bits | (1 + (n & 31)) << 23;
    case 8: return bits | (254 - (n & 15)) << 23;
    case 9: {
      float f = (float)(int16_t)x / 4;
      u32 r;
      memcpy(&r, &f, 4);
      return r;
    }
    case 10: return bits | (127 + 28 + (n & 7)) << 23;
    case 11: return bits | (127 + 60 + (n & 7)) << 23;
    case 12: return (x & 0x807ff000) | (64 + (n & 127)) << 23;
    default: return bits | (111 + (n & 31)) << 23;
  }
}

static void two(u32 kind, u32 lo, u32 hi, u32 *out) {
  u32 n = kind >> 4, bits = hi & 0x800fffff;
  out[0] = lo;
  switch (kind & 15) {
    case 0: case 1: memcpy(out, &corners64f[n & 31], 8); return;
    case 2: out[1] = bits | (1020 + (n & 7)) << 20; return;
    case 3: case 4: out[0] = 0; out[1] = (hi & 0x800f0000) | (1020 + (n & 7)) << 20; return;
    case 5: out[1] = bits; return;
    case 6: out[1] = hi; return;
    case 7: out[1] = bits | (1 + (n & 63)) << 20; return;
    case 8: out[1] = bits | (2046 - (n & 15)) << 20; return;
    case 9: {
      double d = (double)(int16_t)lo / 4;
      memcpy(out, &d, 8);
      return;
    }
    case 10: out[1] = bits | (1023 + 28 + (n & 7)) << 20; return;
    case 11: out[1] = bits | (1023 + 60 + (n & 7)) << 20; return;
    case 12: out[0] = lo & 0xf0000000; out[1] = bits | (1023 - 32 + (n & 63)) << 20; return;
    case 13: out[0] = lo & 0xf0000000; out[1] = bits | (1023 - 152 + (n & 31)) << 20; return;
    case 14: out[1] = bits | (1023 + 120 + (n & 15)) << 20; return;
    default: out[1] = bits | (1007 + (n & 31)) << 20; return;
  }
}

static const u8 small[8] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x81, 2};
static const u8 text[8] = {0, 0x61, 0x62, 0x63, 0x61, 0x80, 0xff, 0x62};

static u32 bytes_of(const u8 *table, u32 a, u32 b) {
  u32 r = 0;
  for (int i = 0; i < 4; i++) {
    u32 k = a >> (8 * i) & 0xff;
    r |= (u32)(k & 0x80 ? (u8)(b >> (8 * i)) : table[k & 7]) << (8 * i);
  }
  return r;
}

static u32 text_of(u32 a) {
  u32 r = 0;
  for (int i = 0; i < 4; i++) {
    u32 k = a >> (8 * i) & 0xff;
    r |= (u32)text[k < 10 ? 0 : 1 + k % 7] << (8 * i);
  }
  return r;
}

// Two 32-bit words of flavour `f` from the stream.
void vector_words(int f, u32 *s, u32 *out) {
  u32 kind = background32(s), lo = background32(s), hi = background32(s);
  switch (f) {
    case V_SINGLE:
      out[0] = single(kind, lo);
      out[1] = single(kind >> 12 ^ hi >> 20, hi);
      return;
    case V_DOUBLE: two(kind, lo, hi, out); return;
    case V_SMALL:
      out[0] = bytes_of(small, kind, lo);
      out[1] = bytes_of(small, hi, lo);
      return;
    case V_TEXT:
      out[0] = text_of(lo);
      out[1] = text_of(hi);
      return;
    default:
      out[0] = lo;
      out[1] = hi;
      if ((kind & 7) == 0) out[0] = (u32)corners[kind >> 3 & 31];
      if ((kind & 7) == 1) memcpy(out, &corners[kind >> 3 & 31], 8);
      if ((kind & 7) == 2) out[0] = kind >> 3 & 127, out[1] = kind >> 10 & 1 ? 0 : hi;
      if ((kind & 7) == 3) out[0] = 1u << (kind >> 3 & 31);
  }
}

void vector_state(u32 formIndex, u32 caseIndex, int flavour, vec_t *v) {
  u32 s = (formIndex << 12 ^ caseIndex ^ (u32)env->mode << 26 ^ seed) + 0x53494d44u;
  u32 k = background32(&s);
  v->mxcsr = 0x1f80;
  if ((k & 7) < 4) v->mxcsr |= k >> 3 & 1 ? 0x20 : 0;
  else {
    v->mxcsr |= (k >> 8 & 0x3f) | (k >> 14 & 3) << 13 | (k >> 16 & 1) << 6 | (k >> 17 & 1) << 15;
    if ((k >> 18 & 7) == 0) v->mxcsr &= ~((k >> 21 & 0x3f) << 7);
  }
  u32 same = background32(&s);
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 8; j += 2) vector_words(flavour, &s, v->ymm[i] + j);
  // Some registers equal another one, for comparisons.
  if (same & 1) memcpy(v->ymm[same >> 1 & 15], v->ymm[same >> 5 & 15], 16);
  for (int i = 0; i < 8; i++) vector_words(flavour, &s, v->mm[i]);
  v->ftw = background32(&s) & 1 ? 0xff : 0;
}
