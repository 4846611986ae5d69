#include "generic.h"

static const char *operands(encoding_t e) {
  switch (e) {
    case RM_R: return "r/m%d, r%d";
    case R_RM: return "r%d, r/m%d";
    case ACC_I: return "rAX%d, imm";
    case RM_I: return "r/m%d, imm%d";
    case RM_I8: return "r/m%d, simm8";
    case RM: return "r/m%d";
    case RM_1: return "r/m%d, 1";
    case RM_CL: return "r/m%d, CL";
    case RM_IB: return "r/m%d, imm8";
    case R_RM_I: return "r%d, r/m%d, imm";
    case R_RM_I8: return "r%d, r/m%d, simm8";
    case OPR: return "r%d (in opcode)";
    case OPR_I: return "r%d (in opcode), imm%d";
  }
  return "";
}

static void one(const generic_t *g, int bits, int kind) {
  osize(bits);
  opcode(g->map, g->op);
  bool byteForm = !(g->flags & NO8) && bits != 8 && !(g->flags & ONLY8);
  if (byteForm) in.op[in.nop - 1] |= g->enc == OPR_I ? 8 : 1;
  c.undefFlags = g->undef;
  in.avoid = g->avoid;
  in.lock = kind == 2;
  switch (g->enc) {
    case ACC_I: imm(imm_bytes(bits), value()); break;
    case RM_I: case R_RM_I: imm(imm_bytes(bits), value()); break;
    case RM_I8: case R_RM_I8: imm(1, value()); break;
    case RM_IB: imm(1, chance(80) ? below((u32)bits + 2) : rnd()); break;
    case OPR_I: imm(bits / 8, value()); break;
    default: break;
  }
  if (g->enc == OPR || g->enc == OPR_I) {
    in.rm = (u8)reg_any();
    in.op[in.nop - 1] |= in.rm & 7;
  } else if (g->enc != ACC_I) {
    in.reg = (u8)(g->ext >= 0 ? g->ext : reg_any());
    if (in.rex && g->ext >= 0 && chance(5)) in.reg |= 8;  // REX.R means nothing to an opcode extension
    if (kind) rm_mem((u32)bits / 8, 0);
    else rm_reg(reg_any());
    if (chance(2) && !in.memory) in.seg = 0x3e;           // means nothing to a register operand
  }
  if (g->hook) g->hook();
}

void generic(const generic_t *g, u32 cases) {
  static const char *const kinds[3] = {"", " [mem]", " [mem] LOCK"};
  if (g->flags & NOT64 && env->mode == 64) return;
  EACH_SIZE(bits) {
    if ((bits == 8 && g->flags & NO8) || (bits != 8 && g->flags & ONLY8)) continue;
    for (int kind = 0; kind < 3; kind++) {
      bool noRm = g->enc == ACC_I || g->enc == OPR || g->enc == OPR_I;
      if (kind && (noRm || g->flags & REG_ONLY)) continue;
      if (!kind && g->flags & MEM_ONLY) continue;
      if (kind == 2 && !(g->flags & LOCKABLE)) continue;
      char ops[64];
      snprintf(ops, sizeof ops, operands(g->enc), bits, bits);
      form(g->name, "%s %s%s", g->name, ops, kinds[kind]);
      CASES(kind == 2 ? cases / 4 + 1 : kind ? cases + 4 : cases) one(g, bits, kind);
    }
  }
}
