// Segment registers, descriptor checks, accesses near and beyond limits, far transfers (also between modes).
// The descriptors are those of the kernel's GDT that every x86-64 Linux has (08h-33h) and the LDT of machine_setup().
#include "generic.h"

static const char *const names[6] = {"ES", "CS", "SS", "DS", "FS", "GS"};

// Selectors of every kind; beyond 33h only what is beyond the GDT's limit (the rest of it belongs to the kernel).
// No null selector but 0: the kernel's IRET on the way to the signal handler turns 1 to 3 into 0.
static const u16 selectors[] = {
  0x00, 0x2b, 0x28, 0x2a, 0x23, 0x20, 0x33, 0x08, 0x10, 0x18, 0x13, 0x3b, 0x83, 0xfffb,
  0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x57, 0x5f, 0x67, 0x6f, 0x77, 0xffff,
  0x06, 0x2c, 0x34, 0x3e, 0x45,
};
static u16 selector(void) { return selectors[below(sizeof selectors / sizeof *selectors)]; }

static void mov_from(void) {
  EACH_WIDE(bits) {
    form("MOV Sreg", "MOV r%d, Sreg", bits);
    CASES(24) {
      osize(bits);
      opcode(0, 0x8c);
      in.reg = (u8)below(6);
      rm_reg(reg_any());
    }
  }
  form("MOV Sreg", "MOV m16, Sreg");
  CASES(24) {
    opcode(0, 0x8c);
    in.reg = (u8)below(6);
    if (chance(30)) in.p66 = true;
    rm_mem(2, 0);
  }
}

static void mov_to(void) {
  for (int s = ES; s <= GS; s++) {
    for (int kind = 0; kind < 2; kind++) {
      form("MOV Sreg", "MOV %s, r/m16%s", names[s], kind ? " [mem]" : "");
      CASES(s == CS ? 6 : kind ? 30 : 80) {
        opcode(0, 0x8e);
        in.reg = (u8)s;
        if (kind) {
          rm_mem(2, MEM_NOPATCH | MEM_SAFE);
          patch_value(in.linear, selector(), 16);
        } else {
          rm_reg(reg_any());
          set_reg(in.rm, 16, selector());
        }
      }
    }
  }
}

static void pop_segment(void) {
  for (int s = env->mode == 64 ? FS : ES; s <= GS; s++) {
    if (s == CS) continue;
    for (int wide = 0; wide < 2; wide++) {
      int bits = !wide ? 16 : env->mode == 64 ? 64 : 32;
      form("POP Sreg", "POP %s (%d bits)", names[s], bits);
      CASES(40) {
        osize_stack(bits);
        if (s >= FS) opcode(1, s == FS ? 0xa1 : 0xa9);
        else opcode(0, (u8)(0x07 + 8 * s));
        u64 sp = env->mode == 16 ? c.in.gpr[RSP] & 0xffff : c.in.gpr[RSP];
        patch_value(sp + env->segBase[SS], selector(), 16);
      }
    }
  }
}

static void load_pointer(void) {
  static const struct {
    int map;
    u8 op;
    int seg;
  } t[] = {{0, 0xc4, ES}, {0, 0xc5, DS}, {1, 0xb2, SS}, {1, 0xb4, FS}, {1, 0xb5, GS}};
  for (int i = env->mode == 64 ? 2 : 0; i < 5; i++)
    for (int bits = 16; bits <= 32; bits *= 2) {
      form("LDS", "L%s r%d, m16:%d", names[t[i].seg], bits, bits);
      CASES(40) {
        osize(bits);
        opcode(t[i].map, t[i].op);
        in.reg = (u8)reg_any();
        rm_mem((u32)bits / 8 + 2, MEM_NOPATCH | (chance(in.bold ? 20 : 85) ? MEM_SAFE : 0));
        patch_value(in.linear + (u64)bits / 8, selector(), 16);
      }
    }
}

static void descriptor_queries(void) {
  static const struct {
    const char *name;
    u8 op;
    int ext;
  } t[] = {{"LAR", 0x02, -1}, {"LSL", 0x03, -1}, {"VERR", 0x00, 4}, {"VERW", 0x00, 5}};
  for (unsigned i = 0; i < 4; i++)
    for (int kind = 0; kind < 2; kind++) {
      form(t[i].name, "%s%s", t[i].name, kind ? " [mem]" : "");
      CASES(kind ? 60 : 120) {
        int bits = t[i].ext >= 0 ? 32 : sizes[1 + below(env->mode == 64 ? 3 : 2)];
        osize(bits);
        opcode(1, t[i].op);
        in.reg = t[i].ext >= 0 ? (u8)t[i].ext : (u8)reg_any();
        if (kind) {
          rm_mem(2, MEM_NOPATCH | (chance(85) ? MEM_SAFE : 0));
          patch_value(in.linear, selector(), 16);
        } else {
          rm_reg(reg_any());
          set_reg(in.rm, 16, selector());
        }
      }
    }
  if (env->mode == 64) return;
  for (int kind = 0; kind < 2; kind++) {
    form("ARPL", "ARPL r/m16, r16%s", kind ? " [mem]" : "");
    CASES(40) {
      opcode(0, 0x63);
      in.reg = (u8)reg_any();
      if (kind) rm_mem(2, 0);
      else rm_reg(reg_any());
    }
  }
}

// --- limits: DS, ES, FS or GS holds one of the LDT's special descriptors ------------------------------------------

static void limits(void) {
  static const struct {
    u16 sel;
    u32 limit;
    const char *what;
  } t[] = {{0x2f, 0x13ff, "data, limit 13FFh"},
           {0x37, 0x1fff, "read only, limit 1FFFh"},
           {0x3f, 0x0bff, "expand down, limit 0BFFh, B = 1"},
           {0x47, 0x0bff, "expand down, limit 0BFFh, B = 0"},
           {0x67, 0x0fff, "code, limit 0FFFh"},
           {0x6f, 0x1fff, "data, limit 1 in pages"},
           {0x00, 0, "null selector"}};
  for (unsigned i = 0; i < sizeof t / sizeof *t; i++)
    for (int write = 0; write < 2; write++) {
      form("limit", "%s: %s", write ? "write" : "read", t[i].what);
      CASES(60) {
        int bits = sizes[below(3)];
        osize(bits);
        opcode(0, (u8)((write ? (chance(70) ? 0x88 : 0x00) : (chance(70) ? 0x8a : 0x02)) | (bits != 8)));
        asize(32);
        in.reg = (u8)below(8);
        static const int segs[] = {ES, DS, FS, GS};
        int s = segs[below(4)];
        static const u8 prefix[6] = {0x26, 0, 0, 0, 0x64, 0x65};
        in.seg = prefix[s];
        c.in.seg[s] = t[i].sel;
        static const int regs[] = {RAX, RBX, RSI, RDI, RDX, RCX};
        int b = regs[below(6)];
        in.modrm = true;
        in.mod = 0;
        in.rm = (u8)b;
        u32 ea = t[i].limit + below(14) - 8;
        if (chance(25)) ea = below(0x1f00);
        if (chance(6)) ea = 0xffff + below(12) - 8;
        if (chance(6)) ea = below(12) - 8;  // around zero: 4 GiB - 8 and on
        c.in.gpr[b] = ea;
      }
    }
  form("limit", "CS override: read only");
  CASES(30) {
    int bits = sizes[below(3)];
    osize(bits);
    opcode(0, (u8)((chance(50) ? 0x88 : 0x8a) | (bits != 8)));
    asize(32);
    in.seg = 0x2e;
    in.reg = (u8)below(8);
    in.modrm = true;
    in.rm = RBX;
    c.in.gpr[RBX] = env->mode == 16 ? 0x1000 + below(0x800) : (u32)windows[W_2G].base + below(0x1000);
  }
  static const struct {
    u16 sel;
    u32 limit;
    const char *what;
  } stacks[] = {{0x2f, 0x13ff, "limit 13FFh, B = 1"}, {0x3f, 0x0bff, "expand down, B = 1"}, {0x47, 0x0bff, "expand down, B = 0"},
                {0x1f, 0xffff, "limit FFFFh, B = 0"}, {0x6f, 0x1fff, "limit in pages, B = 1"}};
  for (unsigned i = 0; i < 5; i++)
    for (int pop = 0; pop < 2; pop++) {
      form("limit", "%s on a stack: %s", pop ? "pop" : "push", stacks[i].what);
      CASES(60) {
        int bits = chance(50) ? 16 : 32;
        osize_stack(bits);
        static const u8 ops[2][3] = {{0x50, 0x53, 0x56}, {0x58, 0x5b, 0x5e}};
        opcode(0, ops[pop][below(3)]);
        in.rm = 0;
        c.in.seg[SS] = stacks[i].sel;
        u32 sp = stacks[i].limit + below(14) - 7;
        if (chance(30)) sp = 0x800 + below(0x1000);
        if (chance(15)) sp = below(8);
        if (stacks[i].sel == 0x1f || stacks[i].sel == 0x47) sp = (sp & 0xffff) | rnd() << 16;
        c.in.gpr[RSP] = sp;
      }
    }
}

// --- far transfers -------------------------------------------------------------------------------------------------

static const u16 codeSelectors[] = {0x23, 0x33, 0x17, 0x20, 0x21, 0x30, 0x13, 0x10, 0x08, 0x2b, 0x00, 0x03, 0x57, 0x5f, 0x67, 0x16,
                                    0x14, 0x2f, 0x77, 0x83, 0x3b, 0x54, 0x64};

// Selector and offset. Whatever code segment it is, the offset leads into a code window or just out of it.
static u16 far_target(u64 *offset, int bits) {
  u16 sel = chance(60) ? codeSelectors[below(3)] : codeSelectors[below(sizeof codeSelectors / sizeof *codeSelectors)];
  bool based = (sel & 4) && sel != 0x2f;
  u64 base = bits == 16 || chance(20) ? windows[W_CODE_LOW].base : windows[W_CODE].base;
  if ((sel | 3) == 0x33 && bits == 64 && chance(40)) base = windows[W_CODE_64].base;
  u64 o = base + below(0x1ff0);
  if (chance(5)) o = windows[W_CODE].base + 0x4000;
  if (based) o = below(chance(80) ? 0x1ff0 : 0x2100);
  *offset = o & mask_of(bits);
  if (bits == 64 && chance(3)) *offset |= 0x0080000000000000;
  return sel;
}

// No fault on the stack: in which order a far return reads it is not defined.
static void plain_sp(void) {
  if (chance(50)) set_rsp(windows[W_STACK].base + 0x100 + below(0x1e00));
}

static u64 sp_linear(void) {
  u64 sp = c.in.gpr[RSP];
  if (env->mode == 16) sp &= 0xffff;
  return sp + env->segBase[SS];
}

// A call from a 16-bit stack with a base into 64-bit mode: pushed with or without the base, by processor.
static u16 same_stack(bool call, u16 sel) { return call && env->mode == 16 && (sel | 3) == 0x33 ? 0x23 : sel; }

static void far_jumps(void) {
  for (int call = 0; call < 2; call++)
    for (int bits = 16; bits <= 32; bits *= 2) {
      const char *n = call ? "CALL" : "JMP";
      if (env->mode != 64) {
        form("far", "%s ptr16:%d", n, bits);
        CASES(70) {
          osize_stack(bits);
          opcode(0, call ? 0x9a : 0xea);
          u64 o;
          u16 sel = same_stack(call, far_target(&o, bits));
          imm(bits / 8, o);
          in.immSize2 = 2;
          in.imm2 = sel;
          in.atEnd = false;
          if (call) plain_sp();
          in.wholeFaults = true;
        }
      }
      form("far", "%s m16:%d", n, bits);
      CASES(90) {
        osize(bits);
        opcode(0, 0xff);
        in.reg = call ? 3 : 5;
        in.atEnd = false;
        rm_mem((u32)bits / 8 + 2, MEM_NOPATCH | MEM_STACK | (chance(88) ? MEM_SAFE : 0));
        u64 o;
        u16 sel = same_stack(call, far_target(&o, bits));
        patch_value(in.linear, o, bits);
        patch_value(in.linear + (u64)bits / 8, sel, 16);
        if (call) plain_sp();
        in.wholeFaults = true;
        // A pointer that is partly not mapped must not lead anywhere.
        if (window_of(in.linear) < 0 || window_of(in.linear + (u64)bits / 8 + 1) < 0) continue;
      }
    }
}

static void far_returns(void) {
  for (int bits = 16; bits <= (env->mode == 64 ? 64 : 32); bits *= 2)
    for (int pops = 0; pops < 2; pops++) {
      form("far", pops ? "RETF imm16 (%d bits)" : "RETF (%d bits)", bits);
      CASES(90) {
        osize(bits);
        in.intelFaults = bits == 64;
        opcode(0, pops ? 0xca : 0xcb);
        if (pops) imm(2, below(64));
        in.atEnd = false;
        plain_sp();
        u64 o;
        u16 sel = far_target(&o, bits);
        patch_value(sp_linear(), o, bits);
        patch_value(sp_linear() + (u64)bits / 8, sel | (chance(20) ? rnd() << 16 : 0), bits);
      }
    }
}

static void iret(void) {
  for (int bits = 16; bits <= (env->mode == 64 ? 64 : 32); bits *= 2) {
    form("IRET", "IRET%s", bits == 16 ? "" : bits == 32 ? "D" : "Q");
    CASES(160) {
      osize(bits);
      in.intelFaults = bits == 64;
      opcode(0, 0xcf);
      in.atEnd = false;
      plain_sp();
      // Only one thing wrong at a time: whether CS:RIP or SS is checked first is not defined.
      bool stackVaries = env->mode == 64 && chance(40);
      u64 o;
      u16 sel = far_target(&o, bits);
      if (stackVaries) {
        sel = codeSelectors[below(3)];
        o = sel == 0x17 ? 0x800 + below(0x800) : windows[bits == 16 ? W_CODE_LOW : W_CODE].base + below(0x1ff0);
      }
      u64 flags = rnd() & ~(u32)(TF | AC | RF | NT);
      if (chance(5)) flags |= NT;
      if (chance(5)) c.in.rflags |= NT;  // #GP(0) in IA-32e mode
      u64 sp = sp_linear(), n = (u64)bits / 8;
      patch_value(sp, o, bits);
      patch_value(sp + n, sel, bits);
      patch_value(sp + 2 * n, flags, bits);
      if (env->mode == 64) {
        u16 ss = stackVaries ? selector() : 0x2b;
        patch_value(sp + 3 * n, windows[W_STACK].base + below(0x1000), bits);
        patch_value(sp + 4 * n, ss, bits);
        // IRET to a 16-bit stack leaves the upper part of RSP as it was, or not, by processor.
        if (ss == 0x1f || ss == 0x27 || ss == 0x47) c.undefGprs = 1 << RSP;
      }
    }
  }
}

// A frame that begins before the stack's first page or ends behind its last one: which value is asked for first.
static void return_order(void) {
  for (int kind = 0; kind < 2; kind++)
    for (int bits = 16; bits <= (env->mode == 64 ? 64 : 32); bits *= 2) {
      form("return order", "%s, %d bits", kind ? "IRET" : "RETF", bits);
      CASES(16) {
        osize(bits);
        in.intelFaults = true;
        opcode(0, kind ? 0xcf : 0xcb);
        in.atEnd = false;
        u32 n = (u32)bits / 8, slots = kind ? (env->mode == 64 ? 5 : 3) : 2;
        u64 start = windows[W_STACK].base + (chance(50) ? 0 : window_size(W_STACK)) - n * (1 + below(slots));
        if (chance(25)) start += below(n);  // a value across the pages
        set_rsp(start);
        u64 o;
        u16 sel = far_target(&o, bits);
        u64 values[5] = {o, sel, 0x202, windows[W_STACK].base + 0x800, 0x2b};
        for (u32 i = 0; i < slots; i++)
          if (window_of(start + i * n) == W_STACK && window_of(start + (i + 1) * n - 1) == W_STACK) patch_value(start + i * n, values[i], bits);
      }
    }
}

void forms_segment(void) {
  mov_from();
  mov_to();
  pop_segment();
  load_pointer();
  descriptor_queries();
  if (env->mode != 64) limits();
  far_jumps();
  far_returns();
  iret();
  return_order();
}
