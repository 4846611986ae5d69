#include "generic.h"

typedef struct {
  const char *name;
  u8 op;
  bool source, dest, compares;
} string_t;

static const string_t strings[] = {
  {"MOVS", 0xa4, true, true, false},   {"CMPS", 0xa6, true, true, true},  {"STOS", 0xaa, false, true, false},
  {"LODS", 0xac, true, false, false},  {"SCAS", 0xae, false, true, true},
};

static bool index_at(int reg, int seg, u64 linear) {
  u64 ea;
  if (!ea_of(linear, seg, in.asize, &ea)) return false;
  if (in.asize == 32 && env->mode == 64) ea |= (u64)rnd() << 32;
  if (in.asize == 16) ea |= c.in.gpr[reg] & ~0xffffull;
  c.in.gpr[reg] = ea;
  return true;
}

static void one(const string_t *s, int bits, u8 rep) {
  u32 n = (u32)bits / 8;
  osize(bits);
  opcode(0, (u8)(s->op | (bits != 8)));
  if (chance(25)) asize(other_asize());
  in.rep = rep;
  int seg = DS;
  if (s->source && chance(10)) {
    in.seg = 0x64;  // FS; the destination's ES cannot be overridden
    seg = FS;
  }
  in.intelFaults = rep != 0;
  bool down = c.in.rflags >> 10 & 1;
  u32 count = rep ? below(chance(80) ? 12 : 64) : 1;
  if (rep && chance(6)) count = 0;
  bool near = chance(30);  // source and destination overlap
  u64 src, dst;
  for (int tries = 0;; tries++) {
    if (tries > 200) { seg = DS; in.seg = 0; }
    int w = (int)below(env->mode == 64 ? 5 : 4), v = near ? w : (int)below(env->mode == 64 ? 5 : 4);
    // At most one of the two may fault: which of CMPS's operands is read first is not defined.
    int flags = chance(85) || (near && s->source && s->dest) ? MEM_SAFE : 0;
    bool first = chance(50);
    src = place(w, n, flags | (s->dest && first ? MEM_SAFE : 0));
    dst = near ? src + below(16) - 8 : place(v, n, flags | (s->source && !first ? MEM_SAFE : 0));
    if (flags & MEM_SAFE && rep) {  // room for the whole run
      u64 lo = windows[w].base, room = (u64)count * n + 32;
      if (down ? src - lo < room : src - lo + room > 2 * PAGE) continue;
      lo = windows[v].base;
      if (down ? dst - lo < room : dst - lo + room > 2 * PAGE) continue;
    }
    if (!s->source) {
      if (index_at(RDI, ES, dst)) break;
    } else if (!s->dest) {
      if (index_at(RSI, seg, src)) break;
    } else if (index_at(RSI, seg, src) && index_at(RDI, ES, dst)) break;
  }
  if (rep && chance(6)) {  // a long run that ends at a page it may not touch
    bool source = s->source && (!s->dest || chance(50));
    int w = window_of(source ? src : dst);
    if (w >= 0) {
      u64 edge = windows[w].base + (down ? 0 : source ? 3 * PAGE : 2 * PAGE), run = below(24) * n + below(n);
      u64 at = down ? edge + run : edge - run - n;
      if (source) index_at(RSI, seg, src = at);
      else index_at(RDI, ES, dst = at);
      count = 100 + below(20000);
      near = true;
    }
  }
  if (rep) set_reg(RCX, in.asize, count);
  if (s->compares && chance(85)) {
    // Make a run of equal (or, for REPNE, unequal) elements with an end inside.
    u32 total = count * n > 64 || !count ? 64 / n * n : count * n;
    u8 block[64];
    u64 v = s->source ? 0 : c.in.gpr[RAX];
    bool want = rep != 0xf2;
    for (u32 i = 0; i < total; i++)
      block[i] = s->source ? (u8)peek(src + (down ? -(u64)total + n : 0) + i, 8) : (u8)(v >> (8 * (i % n)));
    if (!want)
      for (u32 i = 0; i < total; i++) block[i] ^= 0x80 | (u8)(i << 1);
    if (chance(60)) {
      u32 odd = below(total);
      if (want) block[odd] ^= (u8)(1 + below(255));
      else
        for (u32 i = odd / n * n, k = 0; k < n; i++, k++)
          block[i] = s->source ? (u8)peek(src + (down ? -(u64)total + n : 0) + i, 8) : (u8)(v >> (8 * k));
    }
    if (!near) patch(dst + (down ? -(u64)total + n : 0), block, total);
  }
  // With no iteration and a 32-bit count in 64-bit mode, whether the upper halves are cleared differs by processor.
  if (rep && in.asize == 32 && env->mode == 64 && !(c.in.gpr[RCX] & 0xffffffff))
    c.undefGprs = 1 << RCX | 1 << RSI | 1 << RDI;
}

void forms_string(void) {
  for (unsigned i = 0; i < sizeof strings / sizeof *strings; i++)
    EACH_SIZE(bits) {
      const string_t *s = &strings[i];
      static const char suffix[65] = {[8] = 'B', [16] = 'W', [32] = 'D', [64] = 'Q'};
      form(s->name, "%s%c", s->name, suffix[bits]);
      CASES(50) one(s, bits, 0);
      form(s->name, "%s %s%c", s->compares ? "REPE" : "REP", s->name, suffix[bits]);
      CASES(90) one(s, bits, 0xf3);
      form(s->name, "REPNE %s%c", s->name, suffix[bits]);  // for MOVS, STOS, LODS the same as REP
      CASES(s->compares ? 90 : 20) one(s, bits, 0xf2);
    }
}

// Both operands wherever they happen to be, misaligned and across pages, one or several elements.
static void at_risk(const string_t *s, int bits, u8 rep) {
  u32 n = (u32)bits / 8;
  osize(bits);
  opcode(0, (u8)(s->op | (bits != 8)));
  if (chance(25)) asize(other_asize());
  in.rep = rep;
  in.bold = chance(60);
  u32 count = below(5) + (chance(20) ? below(40) : 0);
  u64 src, dst;
  int w, v;
  do {
    w = (int)below(env->mode == 64 ? 5 : 4);
    v = chance(20) ? w : (int)below(env->mode == 64 ? 5 : 4);
    src = place(w, n, 0);
    dst = chance(15) ? src + below(33) - 16 : place(v, n, 0);
    // A few elements before the end of a page, in the direction of the run.
    if (rep && chance(50)) src = (src & ~(u64)(PAGE - 1)) + (c.in.rflags & DF ? below(count * n + 1) : (u64)0 - below(count * n + 1));
    if (rep && chance(50)) dst = (dst & ~(u64)(PAGE - 1)) + (c.in.rflags & DF ? below(count * n + 1) : (u64)0 - below(count * n + 1));
  } while (!index_at(RSI, DS, src) || !index_at(RDI, ES, dst));
  if (rep) set_reg(RCX, in.asize, count);
  if (s->compares && chance(60)) {  // equal, so that it goes on
    u32 total = count * n > 64 ? 64 / n * n : count * n;
    bool down = c.in.rflags & DF;
    u64 from = s->source ? src : 0, back = down && total ? (u64)total - n : 0;
    u8 block[64];
    for (u32 i = 0; i < total; i++) block[i] = s->source ? (u8)peek(from - back + i, 8) : (u8)(c.in.gpr[RAX] >> (8 * (i % n)));
    if (rep == 0xf2) for (u32 i = 0; i < total; i++) block[i] ^= 0x80;
    if (total && (dst - src + 64 > 128 || !s->source)) patch(dst - back, block, total);
  }
  if (rep && in.asize == 32 && env->mode == 64 && !(c.in.gpr[RCX] & 0xffffffff)) c.undefGprs = 1 << RCX | 1 << RSI | 1 << RDI;
}

void strings_at_risk(void) {
  for (unsigned i = 0; i < sizeof strings / sizeof *strings; i++)
    EACH_SIZE(bits) {
      const string_t *s = &strings[i];
      form("pairs", "%s of %d bits: both operands", s->name, bits);
      CASES(16) at_risk(s, bits, 0);
      form("pairs", "REP %s of %d bits: both operands", s->name, bits);
      CASES(40) at_risk(s, bits, chance(70) ? 0xf3 : 0xf2);
    }
}
