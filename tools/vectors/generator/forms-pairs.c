// Instructions that reach two places in memory or more: the operand and the stack, source and destination, the frames of ENTER,
// the parts of an image. Any of them may be where nothing is mapped or nothing may be written, or run into it: which fault comes
// first, and what is left behind, is Intel's, and recorded on its processors only.
#include "generic.h"

static const int stackBits[2][2] = {{16, 32}, {16, 64}};

// The stack pointer near an end of the stack's window, or anywhere in it.
static void stack_at_risk(u32 bytes, bool grows) {
  u64 b = windows[W_STACK].base, at;
  switch (below(6)) {
    case 0: at = b + below(bytes + 8); break;                                   // its lower end
    case 1: at = b + 2 * PAGE + below(bytes + 8) - (grows ? 0 : bytes); break;  // into the page that is read only
    case 2: at = b + 3 * PAGE - below(bytes + 8); break;                        // into what is not mapped
    case 3: at = b + PAGE - bytes / 2 + below(bytes + 8); break;                // across pages
    case 4: at = b + 2 * PAGE + below(PAGE); break;
    default: at = b + 0x100 + below(0x1d00);
  }
  if (chance(60)) at &= ~7ull;
  set_rsp(at);
}

static void operand_at_risk(u32 bytes, int flags) {
  in.bold = chance(50);
  rm_mem(bytes, MEM_STACK | MEM_NOPATCH | flags);
}

static void push_pop(void) {
  for (int k = 0; k < 2; k++) {
    int bits = stackBits[env->mode == 64][k];
    for (int pop = 0; pop < 2; pop++) {
      form("pairs", "%s [mem], %d bits: operand and stack", pop ? "POP" : "PUSH", bits);
      CASES(50) {
        osize_stack(bits);
        opcode(0, pop ? 0x8f : 0xff);
        in.reg = pop ? 0 : 6;
        operand_at_risk((u32)bits / 8, 0);
        stack_at_risk((u32)bits / 8, !pop);
      }
    }
    form("pairs", "CALL [mem], %d bits: operand and stack", bits);
    CASES(50) {
      if (env->mode == 64 && bits == 16) bits = 64;  // the prefix has no one meaning
      osize_stack(bits);
      opcode(0, 0xff);
      in.reg = 2;
      operand_at_risk((u32)bits / 8, 0);
      u64 to = env->mode == 16 ? 0x200 + below(0x1000) : windows[bits == 16 ? W_CODE_LOW : W_CODE].base + 0x200 + below(0x1000);
      patch_value(in.linear, to, bits);
      stack_at_risk((u32)bits / 8, true);
    }
  }
}

static void far_pointers(void) {
  for (int bits = 16; bits <= 32; bits *= 2)
    for (int call = 0; call < 2; call++) {
      form("pairs", "%s m16:%d: operand and stack", call ? "CALL" : "JMP", bits);
      CASES(60) {
        osize(bits);
        in.w = false;
        opcode(0, 0xff);
        in.reg = call ? 3 : 5;
        operand_at_risk((u32)bits / 8 + 2, 0);
        u64 to = env->mode == 16 ? 0x200 + below(0x1000) : windows[bits == 16 ? W_CODE_LOW : W_CODE].base + 0x200 + below(0x1000);
        patch_value(in.linear, to, bits);
        patch_value(in.linear + (u64)bits / 8, env->sel[CS], 16);
        stack_at_risk((u32)bits / 4, true);
      }
    }
}

static void frames(void) {
  for (int k = 0; k < 2; k++) {
    int bits = stackBits[env->mode == 64][k];
    u32 n = (u32)bits / 8;
    form("pairs", "ENTER, %d bits: frames and stack", bits);
    CASES(90) {
      osize_stack(bits);
      opcode(0, 0xc8);
      u32 level = chance(30) ? below(3) : below(32), size = chance(50) ? below(64) : below(0x3000);
      imm(2, size);
      in.immSize2 = 1;
      in.imm2 = level;
      stack_at_risk(n * (level + 1), true);
      u64 keep = c.in.gpr[RSP];
      stack_at_risk(n * (level + 1), true);
      c.in.gpr[RBP] = c.in.gpr[RSP];
      c.in.gpr[RSP] = keep;
    }
    form("pairs", "LEAVE, %d bits: at the ends", bits);
    CASES(30) {
      osize_stack(bits);
      opcode(0, 0xc9);
      u64 keep = c.in.gpr[RSP];
      stack_at_risk(n, false);
      c.in.gpr[RBP] = c.in.gpr[RSP];
      c.in.gpr[RSP] = keep;
    }
    form("pairs", "RET, %d bits: at the ends", bits);
    CASES(30) {
      if (env->mode == 64 && bits == 16) bits = 64, n = 8;
      osize_stack(bits);
      bool pops = chance(50);
      opcode(0, pops ? 0xc2 : 0xc3);
      if (pops) imm(2, rnd());
      stack_at_risk(n, false);
      u64 sp = c.in.gpr[RSP];
      if (env->mode == 16) sp &= 0xffff;
      u64 to = env->mode == 16 ? 0x200 + below(0x1000) : windows[bits == 16 ? W_CODE_LOW : W_CODE].base + 0x200 + below(0x1000);
      patch_value(sp + env->segBase[SS], to, bits);
    }
    if (env->mode == 64) continue;
    for (int pop = 0; pop < 2; pop++) {
      form("pairs", "%s%s: at the ends", pop ? "POPA" : "PUSHA", bits == 16 ? "" : "D");
      CASES(60) {
        osize_stack(bits);
        opcode(0, pop ? 0x61 : 0x60);
        stack_at_risk(8 * n, !pop);
      }
    }
  }
}

void forms_pairs(void) {
  if (!intel) return;
  push_pop();
  far_pointers();
  frames();
  strings_at_risk();
}
