// What must not work: LOCK where it is not allowed, opcodes that do not exist, privileged instructions at CPL 3,
// instructions that are too long, misaligned data with AC set.
#include "generic.h"

static void raw(const u8 *bytes, int n) {
  in.rex = false;
  for (int i = 0; i < n; i++) in.op[i] = bytes[i];
  in.nop = n;
}
#define RAW(...) raw((const u8[]){__VA_ARGS__}, (int)sizeof((const u8[]){__VA_ARGS__}))

static void lock_rules(void) {
  form("LOCK", "LOCK with a register destination");
  CASES(60) {
    static const u8 ops[] = {0x01, 0x29, 0x31, 0x87, 0x11, 0x21, 0x09, 0x19, 0x00};
    opcode(0, ops[below(sizeof ops)]);
    in.reg = (u8)reg_any();
    rm_reg(reg_any());
    in.lock = true;
  }
  form("LOCK", "LOCK with an instruction that cannot have it, register");
  CASES(60) {
    static const u8 ops[] = {0x03, 0x39, 0x3b, 0x85, 0x89, 0x8b, 0x2b, 0x33, 0x0b, 0x23};
    opcode(0, ops[below(sizeof ops)]);
    in.reg = (u8)reg_any();
    rm_reg(reg_any());
    in.lock = true;
  }
  form("LOCK", "LOCK with an instruction that cannot have it, memory");
  CASES(80) {  // #UD, also where the memory would fault
    static const u8 ops[] = {0x03, 0x39, 0x3b, 0x85, 0x89, 0x8b, 0x2b, 0x33, 0x0b, 0x23, 0xc1, 0x8d};
    u8 op = ops[below(sizeof ops)];
    opcode(0, op);
    in.reg = op == 0xc1 ? 4 : (u8)reg_any();
    if (op == 0xc1) imm(1, 1);
    rm_mem(4, MEM_NOPATCH);
    in.lock = true;
  }
  form("LOCK", "LOCK with an instruction without operands in memory");
  CASES(60) {
    static const u8 ops[] = {0x90, 0x98, 0x99, 0xf8, 0xfc, 0x50, 0x58, 0xa4, 0xab, 0x9e, 0x9f, 0xc3};
    in.rex = false;
    opcode(0, ops[below(sizeof ops)]);
    in.lock = true;
  }
}

static void undefined(void) {
  form("undefined", "UD2");
  CASES(12) RAW(0x0f, 0x0b);
  form("undefined", "UD1");
  CASES(12) {
    opcode(1, 0xb9);
    in.reg = (u8)reg_any();
    rm_reg(reg_any());
  }
  if (env->mode == 64) {
    static const u8 gone[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0xce, 0xd6};
    form("undefined", "opcodes that 64-bit mode takes away");
    CASES(80) RAW(gone[below(sizeof gone)]);
    form("undefined", "opcodes with an immediate that 64-bit mode takes away");
    CASES(40) {
      static const u8 with[] = {0xd4, 0xd5, 0x82, 0x9a, 0xea};
      u8 op = with[below(sizeof with)];
      RAW(op);
      imm(op == 0x9a || op == 0xea ? 6 : op == 0x82 ? 2 : 1, rnd64() | 0xc0);
    }
  }
  form("undefined", "opcode extensions that do not exist");
  CASES(120) {
    static const u8 pairs[][2] = {{0xfe, 2}, {0xfe, 3}, {0xfe, 4}, {0xfe, 5}, {0xfe, 6}, {0xfe, 7}, {0xff, 7}, {0xc6, 1},
                                  {0xc6, 5}, {0xc7, 2}, {0xc7, 6}, {0x8c, 6}, {0x8c, 7}, {0x8e, 1}, {0x8e, 6}, {0x8e, 7}};
    const u8 *p = pairs[below(16)];
    opcode(0, p[0]);
    in.reg = p[1];
    if (p[0] == 0xc6) imm(1, rnd());
    if (p[0] == 0xc7) imm(4, rnd());
    if (chance(50)) rm_reg(reg_any());
    else rm_mem(2, MEM_NOPATCH);
  }
  form("undefined", "BT group: extensions 0 to 3");
  CASES(40) {
    opcode(1, 0xba);
    in.reg = (u8)below(4);
    imm(1, rnd());
    if (chance(50)) rm_reg(reg_any());
    else rm_mem(4, MEM_NOPATCH);
  }
  form("undefined", "LEA and CMPXCHG8B of a register");
  CASES(40) {
    if (chance(50)) opcode(0, 0x8d), in.reg = (u8)reg_any();
    else opcode(1, 0xc7), in.reg = 1;
    rm_reg(reg_any());
  }
  form("undefined", "0F opcodes that do not exist");
  CASES(80) {
    static const u8 ops[] = {0x04, 0x0a, 0x0c, 0x36, 0xa6, 0xa7};
    RAW(0x0f, ops[below(sizeof ops)], 0xc0);
  }
}

static void privileged(void) {
  form("privileged", "HLT, CLI, STI, CLTS, INVD, WBINVD, WRMSR, RDMSR");
  CASES(60) {
    switch (below(8)) {
      case 0: RAW(0xf4); break;
      case 1: RAW(0xfa); break;
      case 2: RAW(0xfb); break;
      case 3: RAW(0x0f, 0x06); break;
      case 4: RAW(0x0f, 0x08); break;
      case 5: RAW(0x0f, 0x09); break;
      case 6: RAW(0x0f, 0x30); break;
      default: RAW(0x0f, 0x32);
    }
  }
  form("privileged", "IN, OUT");
  CASES(60) {  // IOPL 0, no I/O bitmap
    static const u8 ops[] = {0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef};
    u8 op = ops[below(8)];
    RAW(op);
    if (op < 0xe8) imm(1, rnd());
    if (chance(20)) in.p66 = true;
  }
  form("privileged", "INS, OUTS");
  CASES(60) {
    RAW((u8)(0x6c + below(4)));
    c.in.gpr[RSI] = c.in.gpr[RDI] = (env->mode == 16 ? 0x7800 : windows[W_2G].base + 0x800);
    if (chance(50)) in.rep = 0xf3, c.in.gpr[RCX] = 1 + below(5);
    if (chance(20)) in.p66 = true;
  }
  form("privileged", "MOV to and from CR0, CR2, CR3, CR4");
  CASES(40) {
    static const u8 crs[] = {0, 2, 3, 4};
    opcode(1, chance(50) ? 0x20 : 0x22);
    in.reg = crs[below(4)];
    rm_reg(reg_any());
  }
  form("privileged", "LGDT, LIDT, INVLPG, LLDT, LTR, LMSW");
  CASES(60) {
    static const u8 groups[][2] = {{1, 2}, {1, 3}, {1, 7}, {0, 2}, {0, 3}, {1, 6}};
    const u8 *g = groups[below(6)];
    opcode(1, g[0]);
    in.reg = g[1];
    rm_mem(2, MEM_NOPATCH | MEM_SAFE);
  }
}

static void lengths(void) {
  form("length", "15 bytes");
  CASES(30) {
    u32 n = 13;
    in.rex = false;
    for (u32 i = 0; i < n; i++) in.prefix[in.prefixes++] = chance(50) ? 0x2e : 0x3e;
    opcode(0, 0x89);
    in.reg = (u8)below(8);
    rm_reg((int)below(8));
    c.codeOffset = 0x200 + below(0x400);
    in.atEnd = false;
  }
  form("length", "16 bytes and more");
  CASES(30) {
    u32 n = 14 + below(3);
    in.rex = false;
    for (u32 i = 0; i < n; i++) in.prefix[in.prefixes++] = chance(50) ? 0x2e : 0x3e;
    opcode(0, 0x89);
    in.reg = (u8)below(8);
    rm_reg((int)below(8));
    c.codeOffset = 0x200 + below(0x400);
    in.atEnd = false;
  }
  form("length", "an instruction cut off by a page that is not mapped");
  CASES(60) {
    opcode(0, 0x81);
    osize(chance(50) ? 32 : 16);
    in.reg = (u8)below(8);
    rm_mem(4, MEM_SAFE | MEM_NOPATCH);
    imm(in.bits / 8, rnd());
    in.atEnd = true;
    in.truncate = 1 + (int)below(3);  // the shortest has four bytes
  }
}

static void prefixes(void) {
  if (env->mode == 64) form("prefixes", "a REX prefix that is not the last prefix is ignored");
  if (env->mode == 64) CASES(60) {
    in.prefix[in.prefixes++] = (u8)(0x40 | below(16));
    in.rex = false;
    in.p66 = true;
    opcode(0, 0x01);
    in.reg = (u8)below(8);
    if (chance(50)) rm_reg((int)below(8));
    else rm_mem(2, MEM_SAFE);
  }
  form("prefixes", "F2, F3 and repeated prefixes before plain instructions");
  CASES(80) {
    static const u8 some[] = {0xf2, 0xf3, 0x66, 0x67, 0x2e, 0x36, 0x3e, 0x26};
    u32 n = 1 + below(5);
    bool w66 = false;
    in.rex = false;
    for (u32 i = 0; i < n; i++) {
      u8 p = some[below(8)];
      w66 |= p == 0x66;
      in.prefix[in.prefixes++] = p;
    }
    (void)w66;
    static const u8 ops[] = {0x01, 0x03, 0x29, 0x31, 0x21, 0x09, 0x3b, 0x85, 0x89, 0x8b};
    u8 op = ops[below(10)];
    opcode(0, op);
    in.reg = (u8)below(8);
    rm_reg((int)below(8));
    if (op == 0x31 || op == 0x21 || op == 0x09 || op == 0x85) c.undefFlags = AF;
  }
}

static void alignment(void) {
  form("alignment", "AC set: misaligned data is #AC(0)");
  CASES(200) {
    static const int widths[] = {16, 32, 64};
    int bits = widths[below(env->mode == 64 ? 3 : 2)];
    osize(bits);
    static const u8 ops[] = {0x01, 0x03, 0x89, 0x8b, 0x39, 0x87};
    opcode(0, ops[below(6)]);
    in.reg = (u8)reg_any();
    rm_mem((u32)bits / 8, chance(70) ? MEM_SAFE : 0);
    c.in.rflags |= AC;
  }
}

void forms_fault(void) {
  lock_rules();
  undefined();
  privileged();
  lengths();
  prefixes();
  alignment();
}
