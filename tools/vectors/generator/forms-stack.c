#include "generic.h"

static const int stackBits[3][3] = {{16, 32, 0}, {16, 32, 0}, {16, 64, 0}};
static const int *sizes_of_stack(void) { return stackBits[env->mode == 64 ? 2 : 0]; }
#define EACH_STACK(bits) for (const int *s_ = sizes_of_stack(); *s_; s_++) for (int bits = *s_, o_ = 1; o_; o_ = 0)

static void random_sp(u32 bytes) {
  if (chance(60)) return;
  if (chance(60)) set_rsp(windows[W_STACK].base + 0x100 + below(0x1e00));
  else set_rsp(place(W_STACK, bytes, 0) + (chance(50) ? bytes : 0));
}

static void push_pop_register(void) {
  EACH_STACK(bits) for (int pop = 0; pop < 2; pop++) {
    form(pop ? "POP" : "PUSH", "%s r%d", pop ? "POP" : "PUSH", bits);
    CASES(90) {
      osize_stack(bits);
      in.rm = (u8)reg_any();
      opcode(0, (u8)(pop ? 0x58 : 0x50) | (in.rm & 7));
      random_sp((u32)bits / 8);
    }
  }
}

static void push_pop_rm(void) {
  EACH_STACK(bits) for (int pop = 0; pop < 2; pop++) for (int kind = 0; kind < 2; kind++) {
    form(pop ? "POP" : "PUSH", "%s r/m%d%s", pop ? "POP" : "PUSH", bits, kind ? " [mem]" : "");
    CASES(kind ? 60 : 30) {
      osize_stack(bits);
      opcode(0, pop ? 0x8f : 0xff);
      in.reg = pop ? 0 : 6;
      if (kind) {
        rm_mem((u32)bits / 8, MEM_STACK | MEM_SAFE);
        if (chance(25) && in.asize >= 32) {  // [rSP + disp8]: POP takes the address after the increment
          u64 keep = c.in.gpr[RSP];
          in.asize = default_asize();
          in.p67 = false;
          if (env->mode == 16) asize(32);
          in.seg = 0;
          in.ripRelative = false;
          in.mod = 1;
          in.rm = 4;
          in.sib = true;
          in.base = RSP;
          in.index = 4;
          in.dispSize = 1;
          in.disp = (int8_t)(below(120) & ~3u);
          c.in.gpr[RSP] = keep;
        } else random_sp((u32)bits / 8);
      } else {
        rm_reg(reg_any());
        random_sp((u32)bits / 8);
      }
    }
  }
}

static void push_imm(void) {
  EACH_STACK(bits) for (int byte = 0; byte < 2; byte++) {
    form("PUSH", "PUSH imm%d (%d bits)", byte ? 8 : bits == 16 ? 16 : 32, bits);
    CASES(30) {
      osize_stack(bits);
      opcode(0, byte ? 0x6a : 0x68);
      imm(byte ? 1 : imm_bytes(bits), value());
      random_sp((u32)bits / 8);
    }
  }
}

static void push_segment(void) {
  static const char *const names[6] = {"ES", "CS", "SS", "DS", "FS", "GS"};
  EACH_STACK(bits) for (int s = env->mode == 64 ? FS : ES; s <= GS; s++) {
    form("PUSH", "PUSH %s (%d bits)", names[s], bits);
    CASES(6) {
      osize_stack(bits);
      if (s >= FS) opcode(1, (u8)(s == FS ? 0xa0 : 0xa8));
      else opcode(0, (u8)(0x06 + 8 * s));
      // Intel's processors leave the bytes above the selector alone, others make them zero (SDM 2 PUSH).
      if (!intel) patch_value(c.in.gpr[RSP] + env->segBase[SS] - 8, 0, 64);
    }
  }
}

static void push_pop_flags(void) {
  EACH_STACK(bits) {
    form("PUSHF", "PUSHF%s", bits == 16 ? "" : bits == 32 ? "D" : "Q");
    CASES(40) {
      osize_stack(bits);
      opcode(0, 0x9c);
      if (chance(50)) c.in.rflags |= ID;
      if (chance(30)) c.in.rflags |= NT;
      random_sp((u32)bits / 8);
    }
    form("POPF", "POPF%s", bits == 16 ? "" : bits == 32 ? "D" : "Q");
    CASES(70) {
      osize_stack(bits);
      opcode(0, 0x9d);
      random_sp((u32)bits / 8);
      if (chance(30)) c.in.rflags |= ID;
      // CPL 3 and IOPL 0: IF and IOPL stay. TF and AC have groups of their own.
      u64 v = rnd64() & ~(u64)(TF | AC);
      u64 sp = env->mode == 16 ? c.in.gpr[RSP] & 0xffff : c.in.gpr[RSP];
      patch_value(sp + env->segBase[SS], v, bits);
    }
  }
}

static void pusha_popa(void) {
  EACH_STACK(bits) for (int pop = 0; pop < 2; pop++) {
    form(pop ? "POPA" : "PUSHA", "%s%s", pop ? "POPA" : "PUSHA", bits == 16 ? "" : "D");
    CASES(50) {
      osize_stack(bits);
      opcode(0, pop ? 0x61 : 0x60);
      // Only faults at the first access: how much is written before a later one is up to the processor.
      if (chance(60)) set_rsp(windows[W_STACK].base + 0x100 + below(0x1e00));
      else if (chance(10)) set_rsp(windows[W_STACK].base - 0x100);
    }
  }
}

static void enter_leave(void) {
  EACH_STACK(bits) {
    for (int nested = 0; nested < 2; nested++) {
      form("ENTER", "ENTER imm16, %s (%d bits)", nested ? "imm8" : "0", bits);
      CASES(nested ? 90 : 40) {
        osize_stack(bits);
        opcode(0, 0xc8);
        imm(2, below(nested ? 200 : 600));
        in.immSize2 = 1;
        u32 level = nested ? 1 + below(6) : 0;
        if (nested && chance(10)) level = below(32);
        in.imm2 = level | (chance(20) ? (rnd() & 0xe0) : 0);  // level mod 32
        set_rsp(windows[W_STACK].base + 0x800 + below(0x1000));
        u64 frame = windows[W_STACK].base + 0x400 + below(0x1800) - env->segBase[SS];
        if (env->mode == 16) frame = (frame & 0xffff) | rnd() << 16;
        c.in.gpr[RBP] = frame;
        if (chance(4) && !nested) set_rsp(windows[W_STACK].base - 0x200);
      }
    }
    form("LEAVE", "LEAVE (%d bits)", bits);
    CASES(60) {
      osize_stack(bits);
      opcode(0, 0xc9);
      u64 keep = c.in.gpr[RSP];
      set_rsp(place(W_STACK, (u32)bits / 8, 0));
      c.in.gpr[RBP] = c.in.gpr[RSP];
      c.in.gpr[RSP] = chance(50) ? keep : c.in.gpr[RSP];
      if (env->mode == 64 && below(20) == 0) c.in.gpr[RBP] = 0x8000000000000000 | rnd();  // #SS(0)
    }
  }
}

void forms_stack(void) {
  push_pop_register();
  push_pop_rm();
  push_imm();
  push_segment();
  push_pop_flags();
  if (env->mode != 64) pusha_popa();
  enter_leave();
}
