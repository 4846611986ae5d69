#include "generic.h"

static const char *const names[4] = {"BT", "BTS", "BTR", "BTC"};

// A bit string in memory: the register's offset is signed and reaches beyond the operand (SDM 2A 3.1.1.9).
static void bit_string(int i, int bits, int lock) {
  form(names[i], "%s r/m%d, r%d [mem]%s", names[i], bits, bits, lock ? " LOCK" : "");
  CASES(lock ? 8 : 40) {
    osize(bits);
    opcode(1, (u8)(0xa3 + 8 * i));
    in.lock = lock;
    in.reg = (u8)reg_any();
    in.avoid = 1u << in.reg;
    rm_mem((u32)bits / 8, MEM_NOPATCH);
    i64 offset = (i64)below(16000) - 8000;
    if (chance(25)) offset = below((u32)bits);
    if (bits == 16) offset = (int16_t)(offset * 2);
    if (in.reg != RSP) set_reg(in.reg, bits, (u64)offset);
    c.undefFlags = OF | SF | AF | PF;
  }
}

static void hook_scan(void) {
  // Zero source: ZF = 1. The destination is undefined in older manuals; this processor leaves it (see README.md).
  if (chance(15)) {
    if (in.memory) patch_value(in.linear, 0, in.bits);
    else set_reg(in.rm, in.bits, 0);
  } else if (chance(40)) {
    u64 v = 1ull << below((u32)in.bits);
    if (in.memory) patch_value(in.linear, v, in.bits);
    else set_reg(in.rm, in.bits, v);
  }
  // With a 32-bit operand in 64-bit mode vendors differ in the upper half of the destination.
  if (in.bits == 32 && env->mode == 64 && get_rm() == 0) c.undefGprs = 1u << in.reg;
}

void forms_bit(void) {
  u32 undef = OF | SF | AF | PF;
  for (int i = 0; i < 4; i++) {
    generic(&(generic_t){names[i], 1, (u8)(0xa3 + 8 * i), -1, RM_R, NO8 | REG_ONLY, undef, 0, 0}, 24);
    EACH_WIDE(bits) for (int lock = 0; lock < (i ? 2 : 1); lock++) bit_string(i, bits, lock);
    generic(&(generic_t){names[i], 1, 0xba, 4 + i, RM_IB, NO8 | (i ? LOCKABLE : 0), undef, 0, 0}, 20);
  }
  generic(&(generic_t){"BSF", 1, 0xbc, -1, R_RM, NO8, CF | OF | SF | AF | PF, 0, hook_scan}, 40);
  generic(&(generic_t){"BSR", 1, 0xbd, -1, R_RM, NO8, CF | OF | SF | AF | PF, 0, hook_scan}, 40);

  for (int bits = 32; bits <= env->mode || bits == 32; bits *= 2) {  // BSWAP r16 is undefined
    form("BSWAP", "BSWAP r%d", bits);
    CASES(30) {
      osize(bits);
      in.rm = (u8)reg_any();
      opcode(1, 0xc8 | (in.rm & 7));
    }
  }
}
