// Jumps, calls, returns, loops, software interrupts. A taken branch lands on an INT3 or where nothing is mapped.
#include "generic.h"

static u64 rip_linear(void) { return windows[c.codeWindow].base + c.codeOffset; }

// A place for a branch to land: in the code window, and seldom outside. As an offset in CS.
static u64 target(bool wild) {
  u64 t = windows[c.codeWindow].base + below(window_size(c.codeWindow));
  while (t - rip_linear() < 24) t -= 64;
  if (wild && chance(8)) t = windows[c.codeWindow].base + 0x4000 + below(0x1000);  // not mapped: #PF at the target
  if (env->mode == 16) t -= env->segBase[CS];
  return t;
}

// 16-bit operand size cuts EIP to 16 bits: only code below 64 KiB, or in a 16-bit segment, stays in reach.
static void low_code(void) {
  if (env->mode == 32) c.codeWindow = W_CODE_LOW;
  in.atEnd = false;
}

// The displacement depends on the length of the instruction, which depends on prefixes: known beforehand here.
static void relative(int bytes, int length) {
  u64 from = rip_linear() - (env->mode == 16 ? env->segBase[CS] : 0) + (u64)length;
  u64 to;
  if (bytes == 1) {
    int d;
    do d = (int8_t)rnd();
    while (d > -length - 8 && d < 0 && d + length >= -8 && d + length < 16);
    to = from + (u64)(i64)d;
    if (d < 0 && (u64)-d >= (u64)length && (u64)-d < (u64)length + 1) to -= 8;
  } else to = target(true);
  imm(bytes, to - from);
}

static int near_sizes(int *out) {  // operand sizes whose effect vendors agree on
  if (env->mode == 64) return out[0] = 64, 1;
  out[0] = 16;
  out[1] = 32;
  return 2;
}

static int prefix_length(void) { return in.p66 + in.p67 + (in.rex ? 1 : 0) + (in.seg ? 1 : 0) + (in.rep ? 1 : 0); }

static void no_rex(void) {
  if (env->mode == 64) in.rex = chance(20);
}

static void conditional(void) {
  int s[2], n = near_sizes(s);
  for (int k = 0; k < n; k++)
    for (int i = 0; i < 16; i++) {
      form("Jcc", "J%s rel8 (%d bits)", cc[i], s[k]);
      CASES(14) {
        no_rex();
        osize_stack(s[k]);
        if (s[k] == 16) low_code();
        in.atEnd = false;
        if (chance(10)) in.seg = chance(50) ? 0x2e : 0x3e;  // branch hints
        opcode(0, (u8)(0x70 + i));
        relative(1, prefix_length() + 2);
      }
      form("Jcc", "J%s rel%d", cc[i], s[k] == 16 ? 16 : 32);
      CASES(12) {
        no_rex();
        osize_stack(s[k]);
        if (s[k] == 16) low_code();
        in.atEnd = false;
        opcode(1, (u8)(0x80 + i));
        int b = s[k] == 16 ? 2 : 4;
        relative(b, prefix_length() + 2 + b);
      }
    }
}

static void loops(void) {
  static const char *const names[4] = {"LOOPNE", "LOOPE", "LOOP", "JCXZ"};
  for (int i = 0; i < 4; i++)
    for (int other = 0; other < 2; other++) {
      int a = other ? other_asize() : default_asize();
      form(i == 3 ? "JCXZ" : "LOOP", "%s, %d-bit count", i == 3 && a != 16 ? a == 32 ? "JECXZ" : "JRCXZ" : names[i], a);
      CASES(50) {
        no_rex();
        asize(a);
        in.atEnd = false;
        opcode(0, (u8)(0xe0 + i));
        relative(1, prefix_length() + 2);
        if (chance(60)) set_reg(RCX, a, below(3));
      }
    }
}

static void random_sp(void) {
  if (chance(50)) set_rsp(windows[W_STACK].base + 0x100 + below(0x1e00));
  else if (chance(12)) set_rsp(place(W_STACK, 8, 0));
}

static void jmp_call(void) {
  int s[2], n = near_sizes(s);
  for (int k = 0; k < n; k++) {
    int bits = s[k], b = bits == 16 ? 2 : 4;
    form("JMP", "JMP rel8 (%d bits)", bits);
    CASES(40) {
      no_rex();
      osize_stack(bits);
      if (bits == 16) low_code();
      in.atEnd = false;
      opcode(0, 0xeb);
      relative(1, prefix_length() + 2);
    }
    for (int call = 0; call < 2; call++) {
      form(call ? "CALL" : "JMP", "%s rel%d", call ? "CALL" : "JMP", bits == 16 ? 16 : 32);
      CASES(60) {
        no_rex();
        osize_stack(bits);
        if (bits == 16) low_code();
        in.atEnd = false;
        opcode(0, call ? 0xe8 : 0xe9);
        relative(b, prefix_length() + 1 + b);
        if (call) random_sp();
      }
      for (int kind = 0; kind < 2; kind++) {
        form(call ? "CALL" : "JMP", "%s r/m%d%s", call ? "CALL" : "JMP", bits, kind ? " [mem]" : "");
        CASES(60) {
          osize_stack(bits);
          if (bits == 16) low_code();
          in.atEnd = false;
          opcode(0, 0xff);
          in.reg = call ? 2 : 4;
          u64 t = target(true);
          if (kind) {
            rm_mem((u32)bits / 8, MEM_STACK | MEM_NOPATCH | (chance(80) ? MEM_SAFE : 0));
            patch_value(in.linear, t, bits);
            if (window_of(in.linear) < 0 || window_of(in.linear + (u64)bits / 8 - 1) < 0) continue;
          } else {
            int r;
            do r = reg_any();
            while (r == RSP);
            rm_reg(r);
            set_reg(r, bits, t);
          }
          if (call) random_sp();
        }
      }
    }
    for (int pops = 0; pops < 2; pops++) {
      form("RET", pops ? "RET imm16 (%d bits)" : "RET (%d bits)", bits);
      CASES(60) {
        no_rex();
        osize_stack(bits);
        if (bits == 16) low_code();
        in.atEnd = false;
        opcode(0, pops ? 0xc2 : 0xc3);
        if (pops) imm(2, chance(80) ? below(64) : rnd());
        if (chance(10) && !pops) in.rep = 0xf3;  // "rep ret"
        random_sp();
        u64 sp = env->mode == 16 ? c.in.gpr[RSP] & 0xffff : c.in.gpr[RSP];
        patch_value(sp + env->segBase[SS], target(true), bits);
      }
    }
  }
}

// The target is not canonical: #GP(0) at the branch, nothing pushed (SDM 2, JMP, CALL, RET).
static void non_canonical(void) {
  form("non-canonical", "JMP, CALL r64 to a non-canonical address");
  CASES(20) {
    // Intel's have written the return address.
    in.wholeFaults = true;
    osize_stack(64);
    opcode(0, 0xff);
    in.reg = chance(50) ? 2 : 4;
    int r;
    do r = reg_any();
    while (r == RSP);
    rm_reg(r);
    c.in.gpr[r] = 0x0000800000000000ull + (rnd64() & 0xffffffffffff);
  }
  form("non-canonical", "RET to a non-canonical address");
  CASES(20) {
    osize_stack(64);
    opcode(0, 0xc3);
    patch_value(c.in.gpr[RSP], 0x0000800000000000ull + (rnd64() & 0xffffffffffff), 64);
  }
}

static void interrupts(void) {
  form("INT", "INT3");
  CASES(10) opcode(0, 0xcc);
  form("INT", "INT 3 (CD 03)");
  CASES(6) {
    opcode(0, 0xcd);
    imm(1, 3);
  }
  form("INT", "INT n");
  CASES(60) {  // the gates of a kernel have DPL 0; 80h (system call) and 3, 4 are left out
    opcode(0, 0xcd);
    u8 n;
    do n = (u8)rnd();
    while (n == 3 || n == 4 || n == 0x80);
    imm(1, n);
  }
  if (env->mode == 64) return;
  form("INT", "INTO");
  CASES(30) opcode(0, 0xce);
  form("INT", "INT 4 (CD 04)");
  CASES(6) {
    opcode(0, 0xcd);
    imm(1, 4);
  }
  for (int bits = 16; bits <= 32; bits += 16) {
    form("BOUND", "BOUND r%d, m%d", bits, bits);
    CASES(80) {
      osize(bits);
      opcode(0, 0x62);
      in.reg = (u8)reg_any();
      in.avoid = 1u << in.reg;
      rm_mem((u32)bits / 4, MEM_NOPATCH);
      // The upper bound may lie in another page, which Intel's read only if the lower one holds.
      in.intelFaults = (in.linear >> 12) != ((in.linear + (u32)bits / 4 - 1) >> 12);
      if (chance(80)) {
        i64 v = (i64)(get_reg(in.reg, bits) << (64 - bits)) >> (64 - bits), d = 1 + below(100);
        patch_value(in.linear, (u64)(chance(25) ? v : v - d + (chance(15) ? 2 * d : 0)), bits);
        patch_value(in.linear + (u64)bits / 8, (u64)(chance(25) ? v : v + d - (chance(15) ? 2 * d : 0)), bits);
      }
    }
  }
}

void forms_control(void) {
  conditional();
  loops();
  jmp_call();
  interrupts();
  if (env->mode == 64) non_canonical();
}
