#include "generic.h"

// --- division: operands that mostly divide, and some that do not (#DE) ---------------------------------------------

static void set_rm(u64 v) {
  if (in.memory) patch_value(in.linear, v, in.bits);
  else set_reg(in.rm, in.bits, v);
}

static void divide(bool isSigned) {
  int bits = in.bits;
  u64 m = mask_of(bits);
  if (chance(6)) set_rm(0);
  u64 d = get_rm();
  if (chance(8)) return;                     // whatever is there: nearly always an overflow
  if (chance(40)) set_rm(d = value() >> below((u32)bits));
  d = get_rm();
  if (!d) return;
  unsigned __int128 dividend;
  u64 q = (value() & m) >> (chance(50) ? below((u32)bits) : 0);
  if (isSigned) {
    __int128 sd = (i64)(d << (64 - bits)) >> (64 - bits), sq = (i64)(q << (64 - bits)) >> (64 - bits);
    __int128 magnitude = sd < 0 ? -sd : sd, r = (__int128)(rnd64() % (u64)magnitude);
    __int128 p = sd * sq;
    if (chance(10)) r = magnitude - 1;
    if (chance(6)) p += (__int128)magnitude << (bits - 1);  // just out of range
    dividend = (unsigned __int128)(p < 0 || (p == 0 && chance(50)) ? p - r : p + r);
  } else {
    dividend = (unsigned __int128)q * d + (chance(10) ? d - 1 : rnd64() % d);
    if (chance(6)) dividend += (unsigned __int128)d << bits;
  }
  if (bits == 8) set_reg(RAX, 16, (u64)dividend);
  else {
    set_reg(RAX, bits, (u64)dividend);
    set_reg(RDX, bits, (u64)(dividend >> bits));
  }
}

static void hook_div(void) { divide(false); }
static void hook_idiv(void) { divide(true); }

static const generic_t table[] = {
  {"TEST", 0, 0x84, -1, RM_R, 0, AF, 0, 0},
  {"TEST", 0, 0xa8, -1, ACC_I, 0, AF, 0, 0},
  {"TEST", 0, 0xf6, 0, RM_I, 0, AF, 0, 0},
  {"INC", 0, 0xfe, 0, RM, LOCKABLE, 0, 0, 0},
  {"DEC", 0, 0xfe, 1, RM, LOCKABLE, 0, 0, 0},
  {"INC", 0, 0x40, -1, OPR, NOT64 | NO8, 0, 0, 0},
  {"DEC", 0, 0x48, -1, OPR, NOT64 | NO8, 0, 0, 0},
  {"NOT", 0, 0xf6, 2, RM, LOCKABLE, 0, 0, 0},
  {"NEG", 0, 0xf6, 3, RM, LOCKABLE, 0, 0, 0},
  {"MUL", 0, 0xf6, 4, RM, 0, SF | ZF | AF | PF, 0, 0},
  {"IMUL", 0, 0xf6, 5, RM, 0, SF | ZF | AF | PF, 0, 0},
  {"IMUL", 1, 0xaf, -1, R_RM, NO8, SF | ZF | AF | PF, 0, 0},
  {"IMUL", 0, 0x69, -1, R_RM_I, NO8, SF | ZF | AF | PF, 0, 0},
  {"IMUL", 0, 0x6b, -1, R_RM_I8, NO8, SF | ZF | AF | PF, 0, 0},
  {"DIV", 0, 0xf6, 6, RM, 0, STATUS, 1 << RAX | 1 << RDX, hook_div},
  {"IDIV", 0, 0xf6, 7, RM, 0, STATUS, 1 << RAX | 1 << RDX, hook_idiv},
};

static void alu(void) {
  static const char *const names[8] = {"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"};
  for (int i = 0; i < 8; i++) {
    u32 lock = i == 7 ? 0 : LOCKABLE, undef = i == 1 || i == 4 || i == 6 ? AF : 0;
    u8 op = (u8)(8 * i);
    generic(&(generic_t){names[i], 0, op, -1, RM_R, lock, undef, 0, 0}, 18);
    generic(&(generic_t){names[i], 0, op | 2, -1, R_RM, 0, undef, 0, 0}, 14);
    generic(&(generic_t){names[i], 0, op | 4, -1, ACC_I, 0, undef, 0, 0}, 14);
    generic(&(generic_t){names[i], 0, 0x80, i, RM_I, lock, undef, 0, 0}, 14);
    generic(&(generic_t){names[i], 0, 0x83, i, RM_I8, lock | NO8, undef, 0, 0}, 14);
    generic(&(generic_t){names[i], 0, 0x82, i, RM_I, lock | ONLY8 | NOT64, undef, 0, 0}, 8);
  }
}

static void bcd(void) {
  static const struct {
    const char *name;
    u8 op;
    u32 undef;
    int imm;
  } t[] = {{"DAA", 0x27, OF, 0}, {"DAS", 0x2f, OF, 0}, {"AAA", 0x37, OF | SF | ZF | PF, 0}, {"AAS", 0x3f, OF | SF | ZF | PF, 0},
           {"AAM", 0xd4, OF | AF | CF, 1}, {"AAD", 0xd5, OF | AF | CF, 1}};
  for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
    form(t[i].name, "%s", t[i].name);
    CASES(160) {
      opcode(0, t[i].op);
      set_reg(RAX, 16, value());
      if (chance(50)) set_reg(RAX, 8, below(10) << 4 | below(16));
      if (t[i].imm) imm(1, chance(60) ? 10 : chance(8) ? 0 : rnd());
      c.undefFlags = t[i].undef;
    }
  }
}

void forms_arithmetic(void) {
  alu();
  for (unsigned i = 0; i < sizeof table / sizeof *table; i++) generic(&table[i], table[i].hook ? 40 : 24);
  if (env->mode != 64) bcd();
}
