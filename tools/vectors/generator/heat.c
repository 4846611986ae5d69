// What a uniform draw seldom reaches, drawn more often: unmasked exceptions together with denormals, zeros, infinities, NaNs and
// results at the ends of the range; memory that may not be touched; alignment checks. Only for recordings that go on
// (seed is not 0): the committed one stays what it is. What is changed here stands in the record like any other choice.
#include "build.h"

bool hot;  // this case is one of them

// --- x87 -----------------------------------------------------------------------------------------------------------

static u16 hot_masks(void) {
  switch (below(8)) {
    case 0: case 1: return 0x3f & (u16)~(1u << below(6));                     // one unmasked
    case 2: return 0x3f & (u16)~(1u << below(6)) & (u16)~(1u << below(6));    // two
    case 3: return (u16)(1u << below(6));                                     // one masked
    case 4: return 0;
    case 5: return 0x3f;
    default: return (u16)below(64);
  }
}

static void hot_extended(u16 *se, u64 *sig) {
  const u64 top = 1ull << 63;
  u16 sign = (u16)(rnd() & 0x8000), e;
  u64 m = rnd64() | top;
  if (chance(40)) m = top | (chance(50) ? 1ull << below(63) : 0);
  else if (chance(25)) m = ~0ull << below(64) | top;
  switch (below(20)) {
    case 0: e = 0, m = 0; break;
    case 1: e = 0, m = 1; break;
    case 2: e = 0, m = 1ull << below(63); break;
    case 3: e = 0, m = rnd64() >> (1 + below(62)); break;
    case 4: e = 0, m = ~top - (chance(50) ? 0 : below(4)); break;
    case 5: e = 0; break;                                            // pseudo-denormal
    case 6: e = 1; break;
    case 7: e = (u16)(1 + below(130)); break;
    case 8: e = 0x7ffe; break;
    case 9: e = (u16)(0x7ffe - below(130)); break;
    case 10: e = 0x7fff, m = top; break;
    case 11: e = 0x7fff, m |= 1ull << 62; break;                     // quiet
    case 12: e = 0x7fff, m = (m & ~(1ull << 62)) | 1; break;         // signalling
    case 13: e = (u16)(1 + below(0x7fff)), m &= ~top; break;         // unnormal, pseudo-infinity, pseudo-NaN
    case 14: e = (u16)(0x3fff + below(66)), m &= ~0ull << below(64); m |= top; break;
    case 15: e = (u16)(0x3fff - 1 - below(4)); break;
    case 16: e = (u16)(0x3fff - 63 - below(4)); break;
    case 17: e = (u16)(chance(50) ? 0x1fff + below(4) : 0x5ffd + below(4)); break;  // squares at the ends of the range
    case 18: e = (u16)(chance(50) ? 0x3fff - 126 - below(26) : 0x3fff + 127 - below(2)); break;    // ends of single
    default: e = (u16)(chance(50) ? 0x3fff - 1022 - below(55) : 0x3fff + 1023 - below(2)); break;  // and of double
  }
  *se = sign | e;
  *sig = m;
}

static void heat_x87(void) {
  static const u16 precision[3] = {0, 0x200, 0x300};
  x87_t *x = &c.fpIn;
  u16 masks = hot_masks();
  x->fcw = (u16)(0x40 | masks | below(4) << 10 | precision[below(3)]);
  u16 sticky = chance(20) ? (u16)(rnd() & 0x7f & (masks | 0x40)) : 0;
  x->fsw = (u16)((x->fsw & 0x7f00 & ~0x8000) | sticky);
  if (chance(2)) {  // something is pending
    u16 pending = (u16)(rnd() & 0x3f & ~masks);
    if (pending) x->fsw |= (u16)(pending | 0x8080);
  }
  for (int i = 0; i < 8; i++)
    if (chance(70)) hot_extended(&x->se[i], &x->sig[i]);
}

// Operands that a form has chosen itself are replaced in some cases, except where the result would be undefined.
static void heat_stack(void) {
  if (c.inexact || !chance(40)) return;
  u32 at = c.fpIn.fsw >> 11 & 7;
  if (chance(70)) hot_extended(&c.fpIn.se[at], &c.fpIn.sig[at]);
  at = (at + 1) & 7;
  if (chance(50)) hot_extended(&c.fpIn.se[at], &c.fpIn.sig[at]);
}

// --- vectors -------------------------------------------------------------------------------------------------------

static u32 hot_single(void) {
  u32 v = rnd(), sign = v & 0x80000000, m = v & 0x7fffff;
  if (chance(40)) m = chance(50) ? 0 : 1u << below(23);
  else if (chance(20)) m = 0x7fffff & ~0u << below(23);
  switch (below(16)) {
    case 0: return sign;
    case 1: return sign | 1;
    case 2: return sign | (m >> below(22)) | 1;
    case 3: return sign | 0x7fffff;
    case 4: return sign | 1u << 23 | m;
    case 5: return sign | (1 + below(30)) << 23 | m;
    case 6: return sign | 0x7f7fffff;
    case 7: return sign | (254 - below(30)) << 23 | m;
    case 8: return sign | 0x7f800000;
    case 9: return sign | 0x7fc00000 | m;
    case 10: return sign | 0x7f800000 | (m & 0x3fffff) | 1;
    case 11: return sign | (chance(50) ? 63 + below(3) : 190 + below(3)) << 23 | m;   // squares at the ends of the range
    case 12: return sign | (127 + below(66)) << 23 | m;
    case 13: return sign | (126 - below(30)) << 23 | m;
    case 14: return sign | (chance(50) ? 112 - below(14) : 142 + below(2)) << 23 | m; // ends of half precision
    default: return sign | (127 - 3 + below(6)) << 23 | m;
  }
}

static u64 hot_double(void) {
  u64 v = rnd64(), sign = v & 1ull << 63, m = v & ((1ull << 52) - 1);
  u64 e;
  if (chance(40)) m = chance(50) ? 0 : 1ull << below(52);
  else if (chance(20)) m = ((1ull << 52) - 1) & ~0ull << below(52);
  switch (below(16)) {
    case 0: return sign;
    case 1: return sign | 1;
    case 2: return sign | (m >> below(51)) | 1;
    case 3: return sign | ((1ull << 52) - 1);
    case 4: e = 1; break;
    case 5: e = 1 + below(60); break;
    case 6: return sign | 0x7fefffffffffffff;
    case 7: e = 2046 - below(60); break;
    case 8: return sign | 0x7ffull << 52;
    case 9: return sign | 0xfffull << 51 | m;
    case 10: return sign | 0x7ffull << 52 | (m & ((1ull << 51) - 1)) | 1;
    case 11: e = chance(50) ? 511 + below(3) : 1534 + below(3); break;
    case 12: e = 1023 + below(66); break;
    case 13: e = 1022 - below(60); break;
    case 14: e = chance(50) ? 1023 - 126 - below(26) : 1023 + 127 + below(2); break;  // ends of single precision
    default: e = 1023 - 3 + below(6);
  }
  return sign | e << 52 | m;
}

void hot_words(u32 *out, u32 words) {
  for (u32 i = 0; i + 1 < words; i += 2) {
    if (flavour == V_DOUBLE) {
      u64 d = hot_double();
      memcpy(out + i, &d, 8);
    } else out[i] = hot_single(), out[i + 1] = hot_single();
  }
}

static void heat_vectors(void) {
  vec_t *v = &c.vin;
  u32 m = (u32)hot_masks() << 7 | below(4) << 13;
  if (chance(35)) m |= 0x8000;
  if (chance(35)) m |= 0x40;
  if (chance(30)) m |= below(64);
  v->mxcsr = m;
  if (flavour != V_SINGLE && flavour != V_DOUBLE) return;
  // The exception of one lane must not hide what another one does: in some cases only the first lanes are unusual.
  u32 lanes = chance(50) ? 8 : chance(50) ? 2 : 4;
  for (int i = 0; i < 16; i++) {
    if (chance(25)) continue;
    hot_words(v->ymm[i], lanes);
    for (u32 j = lanes; j < 8; j++) v->ymm[i][j] = v->ymm[i][j % lanes];
  }
  for (int i = 0; i < 8; i++)
    if (chance(70)) hot_words(v->mm[i], 2);
}

// --- all -----------------------------------------------------------------------------------------------------------

void heat_begin(void) {
  hot = seed && chance(60);
  if (!hot) return;
  if (x87Recorded) heat_x87();
  if (vectorFile) heat_vectors();
  in.bold = chance(20);
  if (chance(4)) c.in.rflags |= AC;
}

void heat_finish(void) {
  if (hot && x87Recorded) heat_stack();
}
