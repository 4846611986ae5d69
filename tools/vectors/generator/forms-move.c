#include "generic.h"

static void hook_cmpxchg(void) {
  if (!chance(50)) return;
  u64 acc = get_reg(RAX, in.bits);
  if (in.memory) patch_value(in.linear, acc, in.bits);
  else if (in.rm != RAX) set_reg(in.rm, in.bits, acc);
}

static const generic_t table[] = {
  {"MOV", 0, 0x88, -1, RM_R, 0, 0, 0, 0},
  {"MOV", 0, 0x8a, -1, R_RM, 0, 0, 0, 0},
  {"MOV", 0, 0xc6, 0, RM_I, 0, 0, 0, 0},
  {"MOV", 0, 0xb0, -1, OPR_I, 0, 0, 0, 0},
  {"XCHG", 0, 0x86, -1, RM_R, LOCKABLE, 0, 0, 0},
  {"XCHG", 0, 0x90, -1, OPR, NO8, 0, 0, 0},
  {"XADD", 1, 0xc0, -1, RM_R, LOCKABLE, 0, 0, 0},
  {"CMPXCHG", 1, 0xb0, -1, RM_R, LOCKABLE, 0, 1 << RAX, hook_cmpxchg},
  {"NOP", 1, 0x1f, -1, RM_R, NO8, 0, 0, 0},
};

static void extend(const char *name, u8 op, int from) {
  EACH_WIDE(bits) {
    for (int kind = 0; kind < 2; kind++) {
      form(name, "%s r%d, r/m%d%s", name, bits, from, kind ? " [mem]" : "");
      CASES(28) {
        osize(bits);
        opcode(1, op);
        in.reg = (u8)reg_any();
        if (kind) rm_mem((u32)from / 8, 0);
        else rm_reg(reg_any());
      }
    }
  }
}

static void movsxd(void) {
  EACH_WIDE(bits) {
    for (int kind = 0; kind < (bits == 16 ? 1 : 2); kind++) {  // the 16-bit form reads 2 bytes or 4, by vendor
      form("MOVSXD", "MOVSXD r%d, r/m32%s", bits, kind ? " [mem]" : "");
      CASES(28) {
        osize(bits);
        opcode(0, 0x63);
        in.reg = (u8)reg_any();
        if (kind) rm_mem(4, 0);
        else rm_reg(reg_any());
      }
    }
  }
}

static void moffs(void) {
  for (int store = 0; store < 2; store++)
    EACH_SIZE(bits) {
      form("MOV", store ? "MOV moffs, rAX%d" : "MOV rAX%d, moffs", bits);
      CASES(28) {
        osize(bits);
        opcode(0, (u8)(0xa0 | store << 1 | (bits != 8)));
        if (chance(30)) asize(other_asize());
        in.segIndex = DS;
        if (chance(10) && in.asize != 16) {
          in.seg = 0x64;
          in.segIndex = FS;
        }
        do in.linear = place((int)below(5), (u32)bits / 8, 0);
        while (!ea_of(in.linear, in.segIndex, in.asize, &in.ea));
        imm(in.asize / 8, in.ea);
        if (chance(40)) patch_value(in.linear, value(), bits);
      }
    }
}

static void cmpxchg_wide(void) {
  for (int wide = 0; wide < (env->mode == 64 ? 2 : 1); wide++)
    for (int lock = 0; lock < 2; lock++) {
      const char *name = wide ? "CMPXCHG16B" : "CMPXCHG8B";
      form(name, "%s%s", name, lock ? " LOCK" : "");
      CASES(60) {
        int bits = wide ? 64 : 32;
        if (wide) in.w = in.rex = true;
        else if (chance(10)) in.p66 = true;
        in.bits = bits;
        opcode(1, 0xc7);
        in.reg = 1;
        in.lock = lock;
        in.avoid = 1 << RAX | 1 << RDX;
        rm_mem((u32)bits / 4, MEM_NOPATCH);
        if (wide && in.linear & 15 && chance(80)) {  // the rest stays misaligned: #GP(0)
          u64 down = in.linear & 15;
          if (in.ripRelative || in.dispSize != 4 || in.sib) c.in.gpr[in.sib ? in.base : in.rm] -= down;
          else in.disp -= (i64)down;
          if (in.ripRelative || (in.sib && in.base == 5 && in.mod == 0)) {
            if (!in.ripRelative) c.in.gpr[in.base] += down;
            in.disp -= (i64)down;
          }
          in.ea -= down;
          in.linear -= down;
        }
        if (chance(50)) {
          patch_value(in.linear, c.in.gpr[RAX], bits);
          patch_value(in.linear + (u64)bits / 8, c.in.gpr[RDX], bits);
        }
      }
    }
}

static void lea(void) {
  EACH_WIDE(bits) {
    form("LEA", "LEA r%d, m", bits);
    CASES(200) {
      osize(bits);
      opcode(0, 0x8d);
      in.reg = (u8)reg_any();
      rm_mem(1, MEM_ADDRESS_ONLY | MEM_SAFE);
      if (chance(70)) {  // any value will do
        for (int r = 0; r < 16; r++)
          if (env->mode == 64 || r < 8) c.in.gpr[r] = value() & mask_of(env->mode == 64 ? 64 : 32);
      }
    }
  }
}

static void conditional(void) {
  for (int i = 0; i < 16; i++) {
    EACH_WIDE(bits) for (int kind = 0; kind < 2; kind++) {
      form("CMOVcc", "CMOV%s r%d, r/m%d%s", cc[i], bits, bits, kind ? " [mem]" : "");
      CASES(kind ? 9 : 10) {
        osize(bits);
        opcode(1, (u8)(0x40 + i));
        in.reg = (u8)reg_any();
        if (kind) rm_mem((u32)bits / 8, 0);
        else rm_reg(reg_any());
      }
    }
    for (int kind = 0; kind < 2; kind++) {
      form("SETcc", "SET%s r/m8%s", cc[i], kind ? " [mem]" : "");
      CASES(12) {
        osize(8);
        opcode(1, (u8)(0x90 + i));
        in.reg = (u8)below(8);  // not looked at
        if (kind) rm_mem(1, 0);
        else rm_reg(reg_any());
      }
    }
  }
}

static void plain(const char *group, const char *name, int bits, int map, u8 op, u32 cases) {
  form(group, "%s", name);
  CASES(cases) {
    if (bits) osize(bits);
    opcode(map, op);
  }
}

static void simple(void) {
  plain("CBW", "CBW", 16, 0, 0x98, 30);
  plain("CBW", "CWDE", 32, 0, 0x98, 30);
  plain("CBW", "CWD", 16, 0, 0x99, 30);
  plain("CBW", "CDQ", 32, 0, 0x99, 30);
  if (env->mode == 64) {
    plain("CBW", "CDQE", 64, 0, 0x98, 30);
    plain("CBW", "CQO", 64, 0, 0x99, 30);
  }
  plain("flags", "LAHF", 0, 0, 0x9f, 40);
  plain("flags", "SAHF", 0, 0, 0x9e, 60);
  plain("flags", "CLC", 0, 0, 0xf8, 12);
  plain("flags", "STC", 0, 0, 0xf9, 12);
  plain("flags", "CMC", 0, 0, 0xf5, 16);
  plain("flags", "CLD", 0, 0, 0xfc, 12);
  plain("flags", "STD", 0, 0, 0xfd, 12);
  plain("NOP", "NOP", 0, 0, 0x90, 8);
  form("NOP", "PAUSE");
  CASES(8) {
    in.rex = false;
    in.rep = 0xf3;
    opcode(0, 0x90);
  }
  if (env->mode != 64) plain("SALC", "SALC", 0, 0, 0xd6, 20);
  form("XLAT", "XLAT");
  CASES(60) {
    opcode(0, 0xd7);
    if (chance(25)) asize(other_asize());
    in.segIndex = DS;
    u64 ea;
    do in.linear = place((int)below(env->mode == 64 ? 5 : 3), 1, 0);
    while (!ea_of(in.linear, DS, in.asize, &ea));
    u64 al = get_reg(RAX, 8);
    set_reg(RBX, in.asize, ea - (c.in.gpr[RAX] & 0xff));
    (void)al;
  }
}

void forms_move(void) {
  for (unsigned i = 0; i < sizeof table / sizeof *table; i++) generic(&table[i], table[i].hook ? 30 : 20);
  extend("MOVZX", 0xb6, 8);
  extend("MOVZX", 0xb7, 16);
  extend("MOVSX", 0xbe, 8);
  extend("MOVSX", 0xbf, 16);
  if (env->mode == 64) movsxd();
  moffs();
  cmpxchg_wide();
  lea();
  conditional();
  simple();
}
