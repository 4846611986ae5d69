#include "build.h"
#include <stdarg.h>

insn_t in;
static u32 formIndex, caseIndex, attempt;
static double factor = 1.0;

void set_scale(double f) { factor = f; }
u32 scaled(u32 n) {
  u32 m = (u32)(n * factor + 0.5);
  return m ? m : 1;
}

void form(const char *group, const char *format, ...) {
  static u32 next;
  char name[160];
  va_list args;
  va_start(args, format);
  vsnprintf(name, sizeof name, format, args);
  va_end(args);
  record_form(group, name);
  formIndex = next++;
  caseIndex = attempt = 0;
}

bool begin(void) {
  memset(&c, 0, sizeof c);
  memset(&in, 0, sizeof in);
  rnd_seed(formIndex << 12 | attempt++, (u32)env->mode);
  base_state(formIndex, caseIndex, &c.in);
  vector_state(formIndex, caseIndex, flavour, &c.vin);
  if (x87Recorded) base_x87(formIndex, caseIndex, &c.fpIn);
  in.asize = default_asize();
  in.rex = env->mode == 64 && chance(65);
  c.codeWindow = W_CODE;
  if (env->mode == 64 && chance(30)) c.codeWindow = W_CODE_64;
  if (env->mode == 32 && chance(15)) c.codeWindow = W_CODE_LOW;
  c.codeOffset = 0x200 + below(0x1b00);
  if (chance(5)) c.codeOffset = PAGE - 1 - below(14);
  in.atEnd = below(200) == 0;
  if (seed) heat_begin();
  return true;
}

int default_asize(void) { return env->mode; }
int other_asize(void) { return env->mode == 32 ? 16 : 32; }

void opcode(int map, u8 op) {
  in.nop = 0;
  if (map) in.op[in.nop++] = 0x0f;
  in.op[in.nop++] = op;
}

void osize(int bits) {
  in.bits = bits;
  in.p66 = (bits == 16) != (env->mode == 16) && bits != 8 && bits != 64;
  if (bits == 64) {
    in.w = in.rex = true;
    in.p66 = chance(4);  // REX.W wins
  }
}

void osize_stack(int bits) {
  in.bits = bits;
  in.p66 = env->mode == 64 ? bits == 16 : bits != env->mode;
  in.w = in.rex && bits == 64 && chance(20);  // changes nothing
}

void asize(int bits) {
  in.asize = bits;
  in.p67 = bits != default_asize();
}

int reg_any(void) { return (int)below(in.rex ? 16 : 8); }

void rm_reg(int reg) {
  in.modrm = true;
  in.mod = 3;
  in.rm = (u8)reg;
}

void imm(int bytes, u64 v) {
  in.immSize = bytes;
  in.imm = v;
}

u64 get_reg(int reg, int bits) {
  if (bits == 8 && !in.rex && reg >= 4) return c.in.gpr[reg - 4] >> 8 & 0xff;
  return c.in.gpr[reg] & mask_of(bits);
}

void set_reg(int reg, int bits, u64 v) {
  u64 m = mask_of(bits), limit = env->mode == 64 ? ~0ull : 0xffffffff;
  if (bits == 8 && !in.rex && reg >= 4) {
    c.in.gpr[reg - 4] = (c.in.gpr[reg - 4] & ~0xff00ull) | (v & 0xff) << 8;
    return;
  }
  c.in.gpr[reg] = ((c.in.gpr[reg] & ~m) | (v & m)) & limit;
}

void patch(u64 linear, const void *bytes, u32 len) {
  const u8 *p = bytes;
  while (len && window_of(linear) < 0) linear++, p++, len--;
  if (!len) return;
  int w = window_of(linear);
  u32 room = window_size(w) - (u32)(linear - windows[w].base);
  if (len > room) len = room;
  if (len > sizeof c.patch[0].bytes || c.patches == MAX_PATCHES || windows[w].pages[0] == 'x') return;
  patch_t *t = &c.patch[c.patches++];
  t->linear = linear;
  t->len = (u8)len;
  memcpy(t->bytes, p, len);
}

void patch_value(u64 linear, u64 v, int bits) { patch(linear, &v, (u32)bits / 8); }

u64 peek(u64 linear, int bits) {
  u64 v = 0;
  for (int i = 0; i < bits / 8; i++) {
    int w = window_of(linear + (u64)i);
    u8 b = w < 0 ? 0 : windowBack[w][linear + (u64)i - windows[w].base];
    for (int p = 0; p < c.patches; p++)
      if (linear + (u64)i - c.patch[p].linear < c.patch[p].len) b = c.patch[p].bytes[linear + (u64)i - c.patch[p].linear];
    v |= (u64)b << (8 * i);
  }
  return v;
}

u64 get_rm(void) { return in.memory ? peek(in.linear, in.bits) : get_reg(in.rm, in.bits); }

void set_rsp(u64 linear) {
  u64 sp = linear - env->segBase[SS];
  if (env->mode == 16) sp = (sp & 0xffff) | (chance(50) ? rnd() << 16 : 0);
  c.in.gpr[RSP] = sp;
}

// --- memory operands -----------------------------------------------------------------------------------------------

u64 place(int w, u32 n, int flags) {
  u64 b = windows[w].base;
  u32 r = below(flags & MEM_SAFE ? 82 : 100);
  if (in.bold && !(flags & MEM_SAFE)) r = 66 + below(34);
  u64 inside = b + 0x20 + below(0x2000 - 0x40 - n);
  if (!n) n = 1;
  if (in.align && chance(75)) return inside & ~(u64)(n - 1);
  if (r < 48) return inside;
  if (r < 66) return inside & ~(u64)(n - 1);
  if (r < 82) return b + PAGE - below(n);                    // across the page boundary, or just behind it
  if (r < 85) return b + 2 * PAGE - below(n);                // into the read-only page
  if (r < 89) return b + 2 * PAGE + below(PAGE - n);         // in the read-only page
  if (r < 92) return b + 3 * PAGE - below(n);                // into what is not mapped
  if (r < 95) return b - below(n);                           // out of what is not mapped
  if (r < 97) return b - 0x800 + below(0x700);
  return inside;
}

bool ea_of(u64 linear, int seg, int bits, u64 *ea) {
  u64 e = linear - env->segBase[seg];
  if (env->mode != 64) {
    if (linear >> 32) return false;
    e = (u32)e;
    if (e > env->segLimit[seg]) return false;
  }
  if (bits < 64 && e >> bits) return false;
  *ea = e;
  return true;
}

static const u8 segPrefix[6] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

static void choose_segment(int byDefault) {
  in.segIndex = byDefault;
  if (!chance(7)) return;
  int s = (int)below(6);
  in.seg = segPrefix[s];
  if (env->mode != 64 || s >= FS) in.segIndex = s;
}

static int pick_base(void) {
  for (;;) {
    int r = reg_any();
    if (!(in.avoid >> r & 1)) return r;
  }
}

// An address in a window that the segment and the address size reach; false when there is none.
static bool choose_target(u32 bytes, int flags, bool canWrap) {
  for (int tries = 0; tries < 60; tries++) {
    int w = (int)below(env->mode == 64 ? 5 : 4);
    if (w == W_64 && env->mode != 64) w = W_STACK;
    u64 t = place(w, bytes, flags);
    if (!ea_of(t, in.segIndex, in.asize, &in.ea)) continue;
    (void)canWrap;
    in.linear = t;
    return true;
  }
  return false;
}

static bool fits32(u64 v) { return (i64)v == (i64)(int32_t)v; }

static void set_address_reg(int reg, u64 v) {
  if (in.asize == 16) c.in.gpr[reg] = (c.in.gpr[reg] & ~0xffffull) | (v & 0xffff);
  else if (in.asize == 32) c.in.gpr[reg] = (env->mode == 64 ? (u64)rnd() << 32 : 0) | (u32)v;
  else c.in.gpr[reg] = v;
}

static i64 small_disp(int size) {
  if (size == 1) return (int8_t)rnd();
  if (size == 2) return (int16_t)rnd();
  if (size == 4) return chance(50) ? (i64)(int16_t)rnd() : (i64)(int32_t)(rnd() & 0xbfffffff);
  return 0;
}

static void mem16(u32 bytes, int flags) {
  static const int first[8] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
  static const int second[8] = {RSI, RDI, RSI, RDI, -1, -1, -1, -1};
  for (;;) {
    in.rm = (u8)below(8);
    in.mod = (u8)below(3);
    bool absolute = in.rm == 6 && in.mod == 0;
    bool onStack = !absolute && first[in.rm] == RBP;
    if (!absolute && (in.avoid >> first[in.rm] & 1 || (second[in.rm] >= 0 && in.avoid >> second[in.rm] & 1))) continue;
    in.seg = 0;
    choose_segment(onStack ? SS : DS);
    if (!choose_target(bytes, flags, false)) continue;
    in.dispSize = absolute ? 2 : in.mod;
    in.disp = absolute ? (i64)in.ea : small_disp(in.dispSize);
    if (absolute) return;
    u64 rest = in.ea - (u64)in.disp;
    if (second[in.rm] >= 0) {
      u64 part = chance(60) ? below(256) : rnd() & 0xffff;
      set_address_reg(second[in.rm], part);
      rest -= part;
    }
    set_address_reg(first[in.rm], rest);
    return;
  }
}

static void mem32(u32 bytes, int flags) {
  u64 amask = mask_of(in.asize);
  for (int tries = 0;; tries++) {
    if (tries > 1000) abort();
    in.sib = in.ripRelative = false;
    in.dispSize = 0;
    in.seg = 0;
    u32 kind = below(10);
    if (kind == 0) {  // no register: disp32, or relative to RIP in 64-bit mode
      choose_segment(DS);
      if (!choose_target(bytes, flags, false)) continue;
      in.mod = 0;
      in.dispSize = 4;
      bool relative = env->mode == 64 && chance(60);
      if (relative) {
        in.rm = 5;
        in.ripRelative = true;
        u64 code = windows[c.codeWindow].base + c.codeOffset;
        if (in.asize == 64 && !(fits32(in.ea - code + 0x3000) && fits32(in.ea - code - 0x3000))) continue;
        return;
      }
      in.disp = (i64)in.ea;
      if (in.asize == 64 && !fits32(in.ea)) continue;
      in.rm = 5;
      if (env->mode == 64 || chance(20)) {
        in.rm = 4;
        in.sib = true;
        in.base = 5;
        in.index = 4;
        in.scale = (u8)below(4);
      }
      return;
    }
    if (kind == 1) {  // index * scale + disp32
      int x = pick_base();
      if (x == RSP) continue;
      choose_segment(DS);
      if (!choose_target(bytes, flags, false)) continue;
      in.mod = 0;
      in.rm = 4;
      in.sib = true;
      in.base = 5;
      in.index = (u8)x;
      in.scale = (u8)below(4);
      in.dispSize = 4;
      in.disp = small_disp(4);
      u64 rest = (in.ea - (u64)in.disp) & amask, extra = rest & ((1u << in.scale) - 1);
      in.disp += (i64)extra;
      if (in.disp != (int32_t)in.disp) continue;
      set_address_reg(x, rest >> in.scale);
      return;
    }
    int b = pick_base();
    bool stackBase = (b == RSP || b == RBP);
    if (b == RSP && flags & MEM_STACK) continue;
    choose_segment(stackBase ? SS : DS);
    if (!choose_target(bytes, flags, true)) continue;
    if (env->mode == 64 && in.asize == 64 && !(flags & MEM_SAFE) && below(80) == 0) {
      in.linear = (0x0000800000000000ull << below(16)) + (rnd64() & 0xffffffffffff);
      if (in.linear >> 47 == 0 || in.linear >> 47 == 0x1ffff) in.linear = 0x0000800000000000ull | rnd();
      in.ea = in.linear - (in.segIndex >= FS ? env->segBase[in.segIndex] : 0);
    }
    in.mod = (u8)below(3);
    if ((b & 7) == 5 && in.mod == 0) in.mod = 1;
    in.dispSize = in.mod == 2 ? 4 : in.mod;
    in.disp = small_disp(in.dispSize);
    in.rm = (u8)b;
    if (kind < 6) {
      if ((b & 7) == 4 || chance(10)) {
        in.sib = true;
        in.base = (u8)b;
        in.index = 4;
        in.scale = (u8)below(4);
        in.rm = 4;
      }
      set_address_reg(b, (in.ea - (u64)in.disp) & amask);
      return;
    }
    int x = pick_base();
    if (x == RSP) continue;
    in.sib = true;
    in.rm = 4;
    in.base = (u8)b;
    in.index = (u8)x;
    in.scale = (u8)below(4);
    u64 rest = (in.ea - (u64)in.disp) & amask;
    if (x == b) {
      u64 by = 1 + (1u << in.scale), extra = rest % by;
      in.disp += (i64)extra;
      if ((in.dispSize == 0 && extra) || (in.dispSize == 1 && in.disp != (int8_t)in.disp) || in.disp != (int32_t)in.disp) continue;
      set_address_reg(b, rest / by);
      return;
    }
    u64 part = chance(50) ? below(256) : chance(50) ? (u64)(i64)(int8_t)rnd() : c.in.gpr[x];
    set_address_reg(x, part);
    set_address_reg(b, (rest - (part << in.scale)) & amask);
    return;
  }
}

void rm_mem(u32 bytes, int flags) {
  in.modrm = true;
  in.memory = true;
  if (chance(env->mode == 16 ? 25 : 14)) asize(other_asize());
  if (in.asize == 16) mem16(bytes, flags);
  else mem32(bytes, flags);
  if (!(flags & (MEM_NOPATCH | MEM_ADDRESS_ONLY)) && bytes <= 8 && chance(45)) patch_value(in.linear, value(), (int)bytes * 8);
}

// --- encoding ------------------------------------------------------------------------------------------------------

static void put(u64 v, int bytes) {
  for (int i = 0; i < bytes; i++) c.code[c.len++] = (u8)(v >> (8 * i));
}

static void encode_vex(u8 rex) {
  u8 last = (u8)(in.pp | in.l << 2 | (~in.vvvv & 15) << 3);
  if (in.map == 1 && !(rex & 0xb) && (c.codeOffset & 3)) {
    c.code[c.len++] = 0xc5;
    c.code[c.len++] = (u8)((rex & 4 ? 0 : 0x80) | last);
    return;
  }
  c.code[c.len++] = 0xc4;
  c.code[c.len++] = (u8)((rex & 4 ? 0 : 0x80) | (rex & 2 ? 0 : 0x40) | (rex & 1 ? 0 : 0x20) | in.map);
  c.code[c.len++] = (u8)((in.w ? 0x80 : 0) | last);
}

static void encode(void) {
  u8 rex = 0x40 | (in.w ? 8 : 0);
  c.len = 0;
  for (int i = 0; i < in.prefixes; i++) c.code[c.len++] = in.prefix[i];
  u8 order[5];
  int n = 0;
  if (in.p66) order[n++] = 0x66;
  if (in.p67) order[n++] = 0x67;
  if (in.seg) order[n++] = in.seg;
  if (in.lock) order[n++] = 0xf0;
  if (in.rep) order[n++] = in.rep;
  u32 turn = n ? c.codeOffset % (u32)n : 0;  // the order of the prefixes has no meaning
  for (int i = 0; i < n; i++) c.code[c.len++] = order[((u32)i + turn) % (u32)n];
  if (in.modrm) {
    if (in.reg & 8) rex |= 4;
    if (in.sib) {
      if (in.index & 8) rex |= 2;
      if (in.base & 8) rex |= 1;
    } else if (in.rm & 8 && !in.ripRelative) rex |= 1;
  } else if (in.rm & 8) rex |= 1;  // register in the opcode
  if (in.vex) encode_vex(rex);
  else if (in.rex) c.code[c.len++] = rex;
  else if (rex & 0xf) abort();
  for (int i = 0; i < in.nop; i++) c.code[c.len++] = in.op[i];
  if (in.modrm) {
    c.code[c.len++] = (u8)(in.mod << 6 | (in.reg & 7) << 3 | (in.sib ? 4 : in.rm & 7));
    if (in.sib) c.code[c.len++] = (u8)(in.scale << 6 | (in.index & 7) << 3 | (in.base & 7));
  }
  if (in.ripRelative) {
    u64 next = windows[c.codeWindow].base + c.codeOffset + (u64)(c.len + 4 + in.immSize + in.immSize2);
    in.disp = (i64)(in.ea - next);
  }
  put((u64)in.disp, in.dispSize);
  put(in.imm, in.immSize);
  put(in.imm2, in.immSize2);
}

// Whether a changed lane is a NaN.
static bool new_nan(void) {
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 8; j++)
      if (c.vout.ymm[i][j] != c.vin.ymm[i][j] && (c.vout.ymm[i][j] & 0x7f800000) == 0x7f800000) return true;
  return false;
}

// A locked access that crosses a cache line: a hypervisor may take a part of a second for each.
static bool splits_lock(void) {
  return in.lock && in.memory && (in.linear ^ (in.linear + (u64)in.bits / 8 - 1)) >> 6;
}

void finish(void) {
  if (seed) heat_finish();
  encode();
  // The committed recording has all of them; others, which want to be many, a few.
  if (seed && splits_lock() && below(16)) return;
  if (in.atEnd) {
    c.codeOffset = window_size(c.codeWindow) - (u32)c.len + (u32)in.truncate;
    encode();
  }
  if (c.len > (int)sizeof c.code) abort();
  conclude();
}

// A transcendental instruction whose outcome is exact, or a default after a stack fault, is compared in full: only a
// rounded result may be off in its last place, and only then C1 depends on that (SDM 1 8.1.3.3, 8.3.10).
static void settle(void) {
  u16 raised = c.fpOut.fsw & (u16)~c.fpIn.fsw;
  if (!c.inexact || (c.fpOut.fsw & 0x20 && !(raised & 0x40))) return;
  c.inexact = false;
  c.undefFsw &= (u16)~0x200;
}

void conclude(void) {
  c.in.rip = windows[c.codeWindow].base + c.codeOffset - (env->mode == 16 ? env->segBase[CS] : 0);
  run_case();
  if (c.event.vector == ENDLESS) {
    restore_windows();
    return;
  }
  settle();
  if (in.image && c.event.vector == 3) {
    int w = window_of(in.linear);
    u8 *mask = windowAlias[w] + (in.linear - windows[w].base) + 28;
    if (*(u32 *)mask == 0x2ffff) mask[2] = 0;
  }
  // Beyond the canonical lower half lies another kernel's memory, and MXCSR bit 17 is AMD's own.
  if (vectorFile && ((c.event.vector == 14 && c.event.cr2 >> 47) || c.vout.mxcsr >> 17)) {
    restore_windows();
    return;
  }
  // Whether a flat segment may be left at 4 GiB is not said, and may vary from one execution to the next (SDM 3A 5.3).
  if (env->mode != 64 && c.event.vector == 14 && c.event.cr2 > 0xffffff00) {
    restore_windows();
    return;
  }
  // Which byte of an XSAVE image or of MASKMOVQ's destination is missed first differs.
  if ((in.image || in.vagueFaults) && c.event.vector == 14) {
    restore_windows();
    return;
  }
  if (!intel && ((in.intelFaults && c.event.vector != 3) || (in.intelNans && new_nan()))) {
    restore_windows();
    return;
  }
  if (!in.wholeFaults || c.event.vector == 3 || !memory_changed()) {
    record_case();
    caseIndex++;
  }
  restore_windows();
}
