// The x87: every instruction, with random stacks, tags, control words and pending exceptions (base_x87), and operands
// from the same classes. What the manual leaves undefined: SDM 1 8.1.3.1 and the instructions' own pages.
#include "generic.h"

enum { C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000 };

static u32 topOf(const x87_t *x) { return x->fsw >> 11 & 7; }
static u32 phys(u32 i) { return (topOf(&c.fpIn) + i) & 7; }

static void set_st(u32 i, u16 se, u64 sig) {
  c.fpIn.se[phys(i)] = se;
  c.fpIn.sig[phys(i)] = sig;
}

static void empty_at(u32 i) { c.fpIn.tags &= (u8)~(1u << phys(i)); }

static void sometimes_no_pending(void) {
  if (chance(97) && c.fpIn.fsw & 0x80) c.fpIn.fsw &= (u16)~0x80bf;
}

static void x87_form(const char *name) { form("x87", "%s", name); }

static void reg_form(const char *name, u8 escape, u8 modrm, u32 cases, void (*hook)(u32 i)) {
  x87_form(name);
  CASES(cases) {
    sometimes_no_pending();
    opcode(0, escape);
    in.op[in.nop++] = modrm;
    if (hook) hook(1);
  }
}

// All eight ST(i).
static void sti_form(const char *name, u8 escape, u8 base, u32 cases, void (*hook)(u32 i)) {
  x87_form(name);
  CASES(cases) {
    sometimes_no_pending();
    u32 i = chance(40) ? 1 : below(8);
    opcode(0, escape);
    in.op[in.nop++] = (u8)(base + i);
    if (hook) hook(i);
  }
}

static void near_operands(u32 i) {
  // Cancellation, equal operands, and exponents a known distance apart
  u32 how = below(10);
  if (how > 3) return;
  u16 se = c.fpIn.se[phys(0)];
  u64 sig = c.fpIn.sig[phys(0)];
  if (how == 1) sig ^= 1ull << below(63);
  if (how == 2) se ^= 0x8000;
  if (how == 3) {
    int e = (se & 0x7fff) + (int)below(140) - 70;
    if (e < 0) e = 0;
    if (e > 0x7ffe) e = 0x7ffe;
    se = (u16)((se & 0x8000) | e);
    sig = rnd64() | 1ull << 63;
  }
  set_st(i, se, sig);
}

static void room(u32 i) {
  (void)i;
  if (chance(80)) empty_at(7);
}

static u64 single_value(void) {
  u32 v = rnd();
  switch (below(8)) {
    case 0: v = (v & 0x80000000) | 0x7f800000 | (chance(50) ? 0 : v >> below(23) & 0x7fffff); break;
    case 1: v &= 0x807fffff; break;
    case 2: v &= 0x80000000; break;
    case 3: v = (v & 0x80ffffff) | 0x3f000000; break;
  }
  return v;
}

static u64 double_value(void) {
  u64 v = rnd64();
  switch (below(8)) {
    case 0: v = (v & 1ull << 63) | 0x7ffull << 52 | (chance(50) ? 0 : (v & ((1ull << 52) - 1)) >> below(52)); break;
    case 1: v &= ~(0x7ffull << 52); break;
    case 2: v &= 1ull << 63; break;
    case 3: case 4: v = (v & 0x801fffffffffffff) | 0x3fe0ull << 48; break;
  }
  return v;
}

static void value80(u16 *se, u64 *sig) { x87_value(rnd(), rnd(), rnd(), se, sig); }

enum { F32, F64, I16, I32, I64, F80, BCD };
static const u32 widths[] = {4, 8, 2, 4, 8, 10, 10};

static void patch_operand(int kind) {
  if (in.linear == 0) return;
  switch (kind) {
    case F32: patch_value(in.linear, single_value(), 32); break;
    case F64: patch_value(in.linear, double_value(), 64); break;
    case I16: patch_value(in.linear, value(), 16); break;
    case I32: patch_value(in.linear, value(), 32); break;
    case I64: patch_value(in.linear, value(), 64); break;
    case F80: {
      u16 se;
      u64 sig;
      u8 bytes[10];
      value80(&se, &sig);
      memcpy(bytes, &sig, 8);
      memcpy(bytes + 8, &se, 2);
      patch(in.linear, bytes, 10);
      break;
    }
    case BCD: {
      u8 bytes[10];
      for (int i = 0; i < 9; i++) bytes[i] = (u8)(below(10) | below(10) << 4);
      bytes[9] = (u8)(rnd() & 0x80);
      if (chance(30)) memset(bytes + below(9), 0, 1);
      patch(in.linear, bytes, 10);
      break;
    }
  }
}

static void mem_form(const char *name, u8 escape, int reg, int kind, u32 cases, bool load, void (*hook)(u32)) {
  x87_form(name);
  CASES(cases) {
    sometimes_no_pending();
    opcode(0, escape);
    in.reg = (u8)reg;
    rm_mem(widths[kind], MEM_NOPATCH);
    in.wholeFaults = true;
    // A store that an unmasked exception forbids does not access memory at all on Intel's processors.
    in.intelFaults = !load;
    if (load && chance(92)) patch_operand(kind);
    if (hook) hook(0);
  }
}

// For stores: ST(0) near what the destination can hold.
static int storeKind;
static void store_operand(u32 i) {
  (void)i;
  u16 sign = (u16)(rnd() & 0x8000);
  u64 sig = rnd64() | 1ull << 63;
  int e = 0x3fff;
  if (chance(35)) return;
  if (chance(30)) sig = ~0ull << below(64) | 1ull << 63;
  else if (chance(30)) sig = 1ull << 63 | 1ull << below(63);
  switch (storeKind) {
    case F32: e += chance(30) ? -127 - (int)below(30) : chance(30) ? 126 + (int)below(4) : (int)below(250) - 125; break;
    case F64: e += chance(30) ? -1023 - (int)below(60) : chance(30) ? 1022 + (int)below(4) : (int)below(2000) - 1000; break;
    case I16: e += (int)below(18) - 2; break;
    case I32: e += (int)below(34) - 2; break;
    case I64: e += (int)below(66) - 2; break;
    case BCD: e += chance(50) ? 58 + (int)below(3) : (int)below(62) - 2; break;
    default: return;
  }
  set_st(0, (u16)(sign | e), sig);
}

static void mem_store(const char *name, u8 escape, int reg, int kind, u32 cases) {
  storeKind = kind;
  mem_form(name, escape, reg, kind, cases, false, store_operand);
}

// --- transcendental --------------------------------------------------------------------------------------------

// The last place, and C1, which says how it was rounded (SDM 1 8.3.10): where the outcome is exact, settle() compares both.
static void approximate(void) {
  c.inexact = true;
  c.undefFsw = C1;
}

static void trig_operand(u32 i) {
  (void)i;
  approximate();
  u64 sig = rnd64() | 1ull << 63;
  u16 sign = (u16)(rnd() & 0x8000);
  switch (below(6)) {
    case 0: case 1: set_st(0, (u16)(sign | (0x3fff - 8 + below(16))), sig); break;
    case 2: set_st(0, (u16)(sign | (0x3fff + below(66))), sig); break;
    case 3: set_st(0, (u16)(sign | (0x3fff - below(80))), sig); break;
    case 4: set_st(0, (u16)(sign | (0x3ffe + below(6))), 0xc90fdaa22168c235 + below(16) - 8); break;
  }
}

static void exp_operand(u32 i) {
  (void)i;
  approximate();
  u64 sig = rnd64() | 1ull << 63;
  u16 sign = (u16)(rnd() & 0x8000);
  if (chance(80)) set_st(0, (u16)(sign | (0x3ffe - (chance(60) ? below(6) : below(70)))), sig);
  u16 *se = &c.fpIn.se[phys(0)];
  // Beyond +-1 the result is undefined.
  if ((*se & 0x7fff) >= 0x3fff && (*se & 0x7fff) < 0x7fff && !(c.fpIn.sig[phys(0)] == 1ull << 63 && (*se & 0x7fff) == 0x3fff)) *se -= (u16)((*se & 0x7fff) - 0x3ffe);
}

static void log_operand(u32 i) {
  (void)i;
  approximate();
  u64 sig = rnd64() | 1ull << 63;
  switch (below(6)) {
    case 0: set_st(0, (u16)(0x3fff - 4 + below(8)), sig); break;
    case 1: set_st(0, (u16)below(0x7fff), sig); break;
    case 2: set_st(0, 0x3fff, 1ull << 63 | rnd64() >> below(64)); break;
    case 3: set_st(0, 0x3ffe, ~(rnd64() >> below(64)) | 1ull << 63); break;
  }
}

static void log1_operand(u32 i) {
  (void)i;
  approximate();
  u64 sig = rnd64() | 1ull << 63;
  u16 sign = (u16)(rnd() & 0x8000);
  if (chance(75)) set_st(0, (u16)(sign | (0x3ffc - (chance(60) ? below(6) : below(70)))), sig);
  u16 se = c.fpIn.se[phys(0)];
  // Defined for -(1 - sqrt(1/2)) <= x <= sqrt(2) - 1.
  if ((se & 0x7fff) >= 0x3ffd && (se & 0x7fff) < 0x7fff) set_st(0, (u16)((se & 0x8000) | 0x3ffc), c.fpIn.sig[phys(0)]);
}

static void atan_operand(u32 i) {
  (void)i;
  approximate();
  if (chance(50)) near_operands(1);
}

static void scale_operand(u32 i) {
  (void)i;
  u64 sig = rnd64() | 1ull << 63;
  if (chance(60)) set_st(1, (u16)((rnd() & 0x8000) | (0x3fff - 2 + below(20))), sig);
  if (chance(50)) set_st(0, (u16)((rnd() & 0x8000) | below(0x7fff)), rnd64() | 1ull << 63);
}

static void prem_operand(u32 i) {
  (void)i;
  if (chance(70)) {
    int e = 0x3fff + (int)below(2000) - 1000;
    int d = chance(60) ? (int)below(64) : chance(50) ? (int)below(300) : -(int)below(4);
    set_st(1, (u16)((rnd() & 0x8000) | e), rnd64() | 1ull << 63);
    set_st(0, (u16)((rnd() & 0x8000) | (e + d)), rnd64() | 1ull << 63);
    if (chance(15)) c.fpIn.sig[phys(1)] = 1ull << 63 | 1ull << below(64);
    if (chance(10)) c.fpIn.sig[phys(0)] = c.fpIn.sig[phys(1)];
  }
}

static void transcendental_room(u32 i) {
  trig_operand(i);
  room(i);
}

static void undef_c(u32 i) {
  (void)i;
  c.undefFsw = C0 | C2 | C3;
}

static void undef_all(u32 i) {
  (void)i;
  c.undefFsw = C0 | C1 | C2 | C3;
}

// --- images in memory ------------------------------------------------------------------------------------------

static void hole(u64 linear, u8 len) {
  while (len && window_of(linear) < 0) linear++, len--;  // an image may lie partly beyond a window
  while (len && window_of(linear + len - 1) != window_of(linear)) len--;
  if (len) c.hole[c.holes++] = (hole_t){linear, len};
}

// Pointers and opcode: processors differ in when they write them (see README.md).
static void pointer_holes(int bits) {
  if (bits == 16) hole(in.linear + 6, 8);
  else hole(in.linear + 12, 16);
}

static u64 image_at(u32 bytes) {
  in.asize = 64;
  rm_mem(bytes, (in.bold ? 0 : MEM_SAFE) | MEM_NOPATCH);
  return in.linear;
}

static void store_image(const char *name, u8 escape, int reg, int bits, u32 bytes) {
  x87_form(name);
  CASES(150) {
    osize(bits);
    opcode(0, escape);
    in.reg = (u8)reg;
    image_at(bytes);
    pointer_holes(bits);
  }
}

static void patch_image(u64 at, int bits, bool registers) {
  u8 bytes[108];
  u32 step = bits / 8, size = 7 * step;
  for (u32 i = 0; i < sizeof bytes; i++) bytes[i] = (u8)rnd();
  x87_t x = c.fpIn;
  if (chance(60)) memcpy(bytes, &x.fcw, 2);
  if (chance(60)) memcpy(bytes + step, &x.fsw, 2);
  for (u32 i = 0; i < 8; i++) {
    u16 se;
    u64 sig;
    value80(&se, &sig);
    memcpy(bytes + size + 10 * i, &sig, 8);
    memcpy(bytes + size + 10 * i + 8, &se, 2);
  }
  patch(at, bytes, size);
  if (!registers) return;
  patch(at + size, bytes + size, 40);
  patch(at + size + 40, bytes + size + 40, 40);
}

static void load_image(const char *name, u8 escape, int reg, int bits, u32 bytes, bool registers) {
  x87_form(name);
  CASES(150) {
    sometimes_no_pending();
    osize(bits);
    opcode(0, escape);
    in.reg = (u8)reg;
    image_at(bytes);
    patch_image(in.linear, bits, registers);
  }
}

static void undefined_forms(void) {
  static const struct { u8 escape, first, last; } gaps[] = {
    {0xd9, 0xd1, 0xd7}, {0xd9, 0xe2, 0xe3}, {0xd9, 0xe6, 0xe7}, {0xd9, 0xef, 0xef}, {0xda, 0xe0, 0xe8}, {0xda, 0xea, 0xff},
    {0xdb, 0xe5, 0xe7}, {0xdb, 0xf8, 0xff}, {0xdd, 0xf0, 0xff}, {0xde, 0xd8, 0xd8}, {0xde, 0xda, 0xdf}, {0xdf, 0xe1, 0xe7},
    {0xdf, 0xf8, 0xff}};
  x87_form("undefined");
  for (u32 g = 0; g < sizeof gaps / sizeof *gaps; g++)
    for (u32 b = gaps[g].first; b <= gaps[g].last; b++)
      for (int k = 0; k < 2; k++) {
        begin();
        opcode(0, gaps[g].escape);
        in.op[in.nop++] = (u8)b;
        finish();
      }
}

void forms_x87(void) {
  static const char *const names[8] = {"FADD", "FMUL", "FCOM", "FCOMP", "FSUB", "FSUBR", "FDIV", "FDIVR"};
  static const struct { const char *name; u8 escape; int kind; } memories[4] = {
    {"m32", 0xd8, F32}, {"m64", 0xdc, F64}, {"m32int", 0xda, I32}, {"m16int", 0xde, I16}};
  char name[64];
  for (int k = 0; k < 8; k++) {
    u8 base = (u8)(0xc0 + 8 * k);
    snprintf(name, sizeof name, "%s ST, ST(i)", names[k]);
    sti_form(name, 0xd8, base, 900, near_operands);
    snprintf(name, sizeof name, "%s ST(i), ST", names[k]);
    sti_form(name, 0xdc, base, 400, near_operands);
    snprintf(name, sizeof name, "%sP ST(i), ST", names[k]);
    if (k != 3) sti_form(name, 0xde, base, 400, near_operands);
    for (int m = 0; m < 4; m++) {
      snprintf(name, sizeof name, "%s %s", names[k], memories[m].name);
      mem_form(name, memories[m].escape, k, memories[m].kind, 300, true, 0);
    }
  }
  reg_form("FCOMPP", 0xde, 0xd9, 300, near_operands);
  sti_form("FUCOM", 0xdd, 0xe0, 400, near_operands);
  sti_form("FUCOMP", 0xdd, 0xe8, 300, near_operands);
  reg_form("FUCOMPP", 0xda, 0xe9, 300, near_operands);
  sti_form("FCOMI", 0xdb, 0xf0, 400, near_operands);
  sti_form("FCOMIP", 0xdf, 0xf0, 300, near_operands);
  sti_form("FUCOMI", 0xdb, 0xe8, 400, near_operands);
  sti_form("FUCOMIP", 0xdf, 0xe8, 300, near_operands);
  reg_form("FTST", 0xd9, 0xe4, 300, 0);
  reg_form("FXAM", 0xd9, 0xe5, 500, 0);

  sti_form("FLD ST(i)", 0xd9, 0xc0, 300, room);
  sti_form("FXCH", 0xd9, 0xc8, 300, 0);
  sti_form("FXCH4", 0xdd, 0xc8, 80, 0);
  sti_form("FXCH7", 0xdf, 0xc8, 80, 0);
  sti_form("FST ST(i)", 0xdd, 0xd0, 200, 0);
  sti_form("FSTP ST(i)", 0xdd, 0xd8, 200, 0);
  sti_form("FSTP1", 0xd9, 0xd8, 200, 0);
  sti_form("FSTP8", 0xdf, 0xd0, 80, 0);
  sti_form("FSTP9", 0xdf, 0xd8, 80, 0);
  static const char *const conditions[8] = {"B", "E", "BE", "U", "NB", "NE", "NBE", "NU"};
  for (int k = 0; k < 8; k++) {
    snprintf(name, sizeof name, "FCMOV%s", conditions[k]);
    sti_form(name, k < 4 ? 0xda : 0xdb, (u8)(0xc0 + 8 * (k & 3)), 100, 0);
  }
  mem_form("FLD m32", 0xd9, 0, F32, 500, true, room);
  mem_form("FLD m64", 0xdd, 0, F64, 500, true, room);
  mem_form("FLD m80", 0xdb, 5, F80, 400, true, room);
  mem_form("FILD m16", 0xdf, 0, I16, 200, true, room);
  mem_form("FILD m32", 0xdb, 0, I32, 200, true, room);
  mem_form("FILD m64", 0xdf, 5, I64, 200, true, room);
  mem_form("FBLD", 0xdf, 4, BCD, 300, true, room);
  mem_store("FST m32", 0xd9, 2, F32, 600);
  mem_store("FSTP m32", 0xd9, 3, F32, 600);
  mem_store("FST m64", 0xdd, 2, F64, 600);
  mem_store("FSTP m64", 0xdd, 3, F64, 600);
  mem_store("FSTP m80", 0xdb, 7, F80, 300);
  mem_store("FIST m16", 0xdf, 2, I16, 300);
  mem_store("FISTP m16", 0xdf, 3, I16, 300);
  mem_store("FISTTP m16", 0xdf, 1, I16, 300);
  mem_store("FIST m32", 0xdb, 2, I32, 300);
  mem_store("FISTP m32", 0xdb, 3, I32, 300);
  mem_store("FISTTP m32", 0xdb, 1, I32, 300);
  mem_store("FISTP m64", 0xdf, 7, I64, 400);
  mem_store("FISTTP m64", 0xdd, 1, I64, 300);
  mem_store("FBSTP", 0xdf, 6, BCD, 400);

  reg_form("FCHS", 0xd9, 0xe0, 150, 0);
  reg_form("FABS", 0xd9, 0xe1, 150, 0);
  static const char *const constants[7] = {"FLD1", "FLDL2T", "FLDL2E", "FLDPI", "FLDLG2", "FLDLN2", "FLDZ"};
  for (int k = 0; k < 7; k++) reg_form(constants[k], 0xd9, (u8)(0xe8 + k), 60, room);
  reg_form("FSQRT", 0xd9, 0xfa, 1200, 0);
  reg_form("FRNDINT", 0xd9, 0xfc, 700, 0);
  reg_form("FSCALE", 0xd9, 0xfd, 900, scale_operand);
  reg_form("FXTRACT", 0xd9, 0xf4, 500, room);
  reg_form("FPREM", 0xd9, 0xf8, 1200, prem_operand);
  reg_form("FPREM1", 0xd9, 0xf5, 1200, prem_operand);
  reg_form("F2XM1", 0xd9, 0xf0, 900, exp_operand);
  reg_form("FYL2X", 0xd9, 0xf1, 1200, log_operand);
  reg_form("FYL2XP1", 0xd9, 0xf9, 1000, log1_operand);
  reg_form("FPTAN", 0xd9, 0xf2, 900, transcendental_room);
  reg_form("FPATAN", 0xd9, 0xf3, 1200, atan_operand);
  reg_form("FSIN", 0xd9, 0xfe, 1000, trig_operand);
  reg_form("FCOS", 0xd9, 0xff, 1000, trig_operand);
  reg_form("FSINCOS", 0xd9, 0xfb, 800, transcendental_room);

  sti_form("FFREE", 0xdd, 0xc0, 80, undef_all);
  sti_form("FFREEP", 0xdf, 0xc0, 80, undef_all);
  reg_form("FINCSTP", 0xd9, 0xf7, 60, undef_c);
  reg_form("FDECSTP", 0xd9, 0xf6, 60, undef_c);
  reg_form("FNOP", 0xd9, 0xd0, 60, undef_all);
  reg_form("FNCLEX", 0xdb, 0xe2, 60, undef_all);
  reg_form("FNINIT", 0xdb, 0xe3, 60, 0);
  reg_form("FNENI", 0xdb, 0xe0, 20, undef_all);
  reg_form("FNDISI", 0xdb, 0xe1, 20, undef_all);
  reg_form("FNSETPM", 0xdb, 0xe4, 20, undef_all);
  reg_form("FNSTSW AX", 0xdf, 0xe0, 60, undef_all);
  x87_form("WAIT");
  CASES(60) opcode(0, 0x9b);
  mem_form("FNSTCW", 0xd9, 7, I16, 80, false, undef_all);
  mem_form("FNSTSW m16", 0xdd, 7, I16, 80, false, undef_all);
  mem_form("FLDCW", 0xd9, 5, I16, 200, true, undef_all);
  for (int bits = 16; bits <= 32; bits *= 2) {
    u32 size = 7 * (u32)bits / 8;
    store_image(bits == 16 ? "FNSTENV m14" : "FNSTENV m28", 0xd9, 6, bits, size);
    store_image(bits == 16 ? "FNSAVE m94" : "FNSAVE m108", 0xdd, 6, bits, size + 80);
    load_image(bits == 16 ? "FLDENV m14" : "FLDENV m28", 0xd9, 4, bits, size, false);
    load_image(bits == 16 ? "FRSTOR m94" : "FRSTOR m108", 0xdd, 4, bits, size + 80, true);
  }
  undefined_forms();
}
