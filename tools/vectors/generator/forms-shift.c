// Shifts and rotates. Which flags the manual leaves undefined depends on the masked count (SDM 2, SAL/SAR/SHL/SHR,
// RCL/RCR/ROL/ROR, SHLD, SHRD).
#include "generic.h"

static u32 masked_count(u64 count) { return (u32)count & (in.bits == 64 ? 63 : 31); }

static void shift_flags(u64 count) {
  u32 n = masked_count(count);
  int ext = in.reg & 7;
  if (!n) return;
  if (n > 1) c.undefFlags |= OF;
  if (ext >= 4) {
    c.undefFlags |= AF;
    if (ext != 7 && n >= (u32)in.bits) c.undefFlags |= CF;
  }
}

static void hook_one(void) { shift_flags(1); }
static void hook_imm(void) { shift_flags(in.imm); }
static void hook_cl(void) {
  if (chance(70)) set_reg(RCX, 8, chance(85) ? below((u32)in.bits + 2) : rnd());
  shift_flags(c.in.gpr[RCX]);
}

// SHLD and SHRD: a count above the operand's size leaves everything undefined; such counts are not made.
static void double_shift(u8 op, const char *name, bool cl) {
  EACH_WIDE(bits) {
    for (int kind = 0; kind < 2; kind++) {
      form(name, "%s r/m%d, r%d, %s%s", name, bits, bits, cl ? "CL" : "imm8", kind ? " [mem]" : "");
      CASES(kind ? 30 : 26) {
        osize(bits);
        opcode(1, op | (u8)cl);
        u64 count = below(bits == 16 ? 17 : bits == 32 ? 32 : 64);
        if (bits != 16 && chance(20)) count = (count & (bits == 64 ? 63 : 31)) | (rnd() & (bits == 64 ? 0xc0 : 0xe0));
        in.avoid = cl ? 1 << RCX : 0;
        in.reg = (u8)reg_any();
        if (kind) rm_mem((u32)bits / 8, 0);
        else rm_reg(reg_any());
        if (cl) set_reg(RCX, 8, count);
        else imm(1, count);
        u32 n = masked_count(count);
        if (n) c.undefFlags = AF | (n > 1 ? OF : 0);
      }
    }
  }
}

void forms_shift(void) {
  static const char *const names[8] = {"ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SAL", "SAR"};
  for (int i = 0; i < 8; i++) {
    u32 cases = i == 6 ? 6 : 22;  // SAL /6 is SHL under another code
    generic(&(generic_t){names[i], 0, 0xd0, i, RM_1, 0, 0, 0, hook_one}, cases);
    generic(&(generic_t){names[i], 0, 0xd2, i, RM_CL, 0, 0, 1 << RCX, hook_cl}, cases + 10);
    generic(&(generic_t){names[i], 0, 0xc0, i, RM_IB, 0, 0, 0, hook_imm}, cases + 6);
  }
  double_shift(0xa4, "SHLD", false);
  double_shift(0xa4, "SHLD", true);
  double_shift(0xac, "SHRD", false);
  double_shift(0xac, "SHRD", true);
}
