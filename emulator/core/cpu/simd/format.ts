// What the operands of a vector instruction are: opcode map, mandatory prefix and opcode to a word of F_* bits (SDM 2
// appendix A tables and the encoding lines of the instruction pages). 0: there is no such instruction.

/** Bytes of the memory (or general register) operand with VEX.L = 0. */
export const F_BYTES: u32 = 0x3f
/** The memory operand is twice as large with VEX.L = 1. */
export const F_SCALED: u32 = 1 << 6
/** Misaligned memory raises #GP in the legacy encoding. */
export const F_ALIGN: u32 = 1 << 7
export const F_IMM: u32 = 1 << 8
/** VEX.vvvv names the first source; without it vvvv must be 1111b. */
export const F_NDS: u32 = 1 << 9
export const F_LEGACY: u32 = 1 << 10
export const F_VEX: u32 = 1 << 11
export const F_L1: u32 = 1 << 12
export const F_W0: u32 = 1 << 13
export const F_W1: u32 = 1 << 14
/** VEX.L = 0 does not exist. */
export const F_NOT_L0: u32 = 1 << 15
export const F_MEMORY_ONLY: u32 = 1 << 16
export const F_REGISTER_ONLY: u32 = 1 << 17
/** r/m is the destination. */
export const F_STORE: u32 = 1 << 18
export const F_RM_GPR: u32 = 1 << 19
export const F_REG_GPR: u32 = 1 << 20
export const F_RM_MM: u32 = 1 << 21
export const F_REG_MM: u32 = 1 << 22
/** The general register or memory operand is 8 bytes with W = 1 in 64-bit mode. */
export const F_WIDE: u32 = 1 << 23
/** Misaligned memory raises #GP in the VEX encoding too. */
export const F_VEX_ALIGN: u32 = 1 << 24
/** VEX.L is ignored. */
export const F_LIG: u32 = 1 << 25
/** No destination register: flags, or registers named by the instruction itself. */
export const F_FLAGS: u32 = 1 << 26
/** ModRM.reg selects the instruction; VEX.vvvv is the destination. */
export const F_GROUP: u32 = 1 << 27
/** The upper half of the vector is handled by the instruction itself (execute.ts). */
export const F_CROSS: u32 = 1 << 28
/** The second source is the same 16 bytes for both halves: a shift count. */
export const F_COUNT: u32 = 1 << 29
/** Works without CR4.OSFXSR and CR0.TS does not matter: MOVNTI. */
export const F_PLAIN: u32 = 1 << 30

const BOTH: u32 = F_LEGACY | F_VEX
/** Packed, two sources. */
const PACKED: u32 = 16 | F_SCALED | F_ALIGN | F_NDS | BOTH | F_L1
/** Packed, one source. */
const UNARY: u32 = 16 | F_SCALED | F_ALIGN | BOTH | F_L1
const SCALAR4: u32 = 4 | F_NDS | BOTH | F_LIG
const SCALAR8: u32 = 8 | F_NDS | BOTH | F_LIG
const MMX: u32 = 8 | F_RM_MM | F_REG_MM | F_LEGACY
const V128: u32 = 16 | F_ALIGN | BOTH
const VEX_PACKED: u32 = 16 | F_SCALED | F_NDS | F_VEX | F_L1

// Mandatory prefixes.
export const PP_NONE: u32 = 0
export const PP_66: u32 = 1
export const PP_F3: u32 = 2
export const PP_F2: u32 = 3

/** Format of opcode 0F `opcode`. `register`: r/m is a register. */
export function format0F(pp: u32, opcode: u32, register: bool): u32 {
  switch (opcode) {
    case 0x10:
    case 0x11: {
      const store: u32 = opcode == 0x11 ? F_STORE : 0
      if (pp < PP_F3) return (UNARY & ~F_ALIGN) | store
      const bytes: u32 = pp == PP_F3 ? 4 : 8
      return bytes | BOTH | F_LIG | store | (register ? F_NDS : 0)
    }
    case 0x12:
      if (pp == PP_F3) return UNARY
      if (pp == PP_F2) return 8 | BOTH | F_L1 | F_CROSS
      return 8 | F_NDS | BOTH | (pp ? F_MEMORY_ONLY : 0)
    case 0x16:
      if (pp == PP_F3) return UNARY
      if (pp == PP_F2) return 0
      return 8 | F_NDS | BOTH | (pp ? F_MEMORY_ONLY : 0)
    case 0x13:
    case 0x17:
      return pp < PP_F3 ? 8 | BOTH | F_MEMORY_ONLY | F_STORE : 0
    case 0x14:
    case 0x15:
      return pp < PP_F3 ? PACKED : 0
    case 0x28:
      return pp < PP_F3 ? UNARY | F_VEX_ALIGN : 0
    case 0x29:
      return pp < PP_F3 ? UNARY | F_VEX_ALIGN | F_STORE : 0
    case 0x2a:
      if (pp < PP_F3) return 8 | F_RM_MM | F_LEGACY
      return 4 | F_RM_GPR | F_WIDE | F_NDS | BOTH | F_LIG
    case 0x2b:
      return pp < PP_F3 ? UNARY | F_VEX_ALIGN | F_STORE | F_MEMORY_ONLY : 0
    case 0x2c:
    case 0x2d:
      if (pp == PP_NONE) return 8 | F_REG_MM | F_LEGACY
      if (pp == PP_66) return 16 | F_ALIGN | F_REG_MM | F_LEGACY
      return (pp == PP_F3 ? 4 : 8) | F_REG_GPR | BOTH | F_LIG
    case 0x2e:
    case 0x2f:
      return pp < PP_F3 ? (pp == PP_NONE ? 4 : 8) | F_FLAGS | BOTH | F_LIG : 0
    case 0x50:
      return pp < PP_F3 ? 16 | F_REGISTER_ONLY | F_REG_GPR | BOTH | F_L1 | F_CROSS : 0
    case 0x51:
      return pp < PP_F3 ? UNARY : pp == PP_F3 ? SCALAR4 : SCALAR8
    case 0x52:
    case 0x53:
      return pp == PP_NONE ? UNARY : pp == PP_F3 ? SCALAR4 : 0
    case 0x54:
    case 0x55:
    case 0x56:
    case 0x57:
      return pp < PP_F3 ? PACKED : 0
    case 0x58:
    case 0x59:
    case 0x5c:
    case 0x5d:
    case 0x5e:
    case 0x5f:
      return pp < PP_F3 ? PACKED : pp == PP_F3 ? SCALAR4 : SCALAR8
    case 0x5a:
      if (pp == PP_NONE) return 8 | F_SCALED | F_CROSS | BOTH | F_L1
      if (pp == PP_66) return UNARY | F_CROSS
      return pp == PP_F3 ? SCALAR4 : SCALAR8
    case 0x5b:
      return pp == PP_F2 ? 0 : UNARY
    case 0x6e:
      if (pp == PP_NONE) return 4 | F_RM_GPR | F_WIDE | F_REG_MM | F_LEGACY
      return pp == PP_66 ? 4 | F_RM_GPR | F_WIDE | BOTH : 0
    case 0x7e:
      if (pp == PP_NONE) return 4 | F_RM_GPR | F_WIDE | F_REG_MM | F_LEGACY | F_STORE
      if (pp == PP_66) return 4 | F_RM_GPR | F_WIDE | BOTH | F_STORE
      return pp == PP_F3 ? 8 | BOTH : 0
    case 0x6f:
      if (pp == PP_NONE) return MMX
      return pp == PP_66 ? UNARY | F_VEX_ALIGN : pp == PP_F3 ? UNARY & ~F_ALIGN : 0
    case 0x7f:
      if (pp == PP_NONE) return MMX | F_STORE
      return pp == PP_66 ? UNARY | F_VEX_ALIGN | F_STORE : pp == PP_F3 ? (UNARY & ~F_ALIGN) | F_STORE : 0
    case 0x70:
      return pp == PP_NONE ? MMX | F_IMM : UNARY | F_IMM
    case 0x71:
    case 0x72:
    case 0x73:
      if (pp == PP_NONE) return MMX | F_IMM | F_GROUP | F_REGISTER_ONLY
      return pp == PP_66 ? 16 | F_IMM | F_GROUP | F_REGISTER_ONLY | BOTH | F_L1 | F_NDS : 0
    case 0x7c:
    case 0x7d:
    case 0xd0:
      return pp == PP_66 || pp == PP_F2 ? PACKED : 0
    case 0xc2:
      return (pp < PP_F3 ? PACKED : pp == PP_F3 ? SCALAR4 : SCALAR8) | F_IMM
    case 0xc3:
      return pp == PP_NONE
        ? 4 | F_RM_GPR | F_REG_GPR | F_WIDE | F_LEGACY | F_STORE | F_MEMORY_ONLY | F_PLAIN
        : 0
    case 0xc4:
      if (pp == PP_NONE) return 2 | F_RM_GPR | F_REG_MM | F_LEGACY | F_IMM
      return pp == PP_66 ? 2 | F_RM_GPR | F_NDS | BOTH | F_IMM : 0
    case 0xc5:
      if (pp == PP_NONE) return 8 | F_RM_MM | F_REG_GPR | F_REGISTER_ONLY | F_LEGACY | F_IMM
      return pp == PP_66 ? 16 | F_REG_GPR | F_REGISTER_ONLY | BOTH | F_IMM : 0
    case 0xc6:
      return pp < PP_F3 ? PACKED | F_IMM : 0
    case 0xd6:
      if (pp == PP_66) return 8 | BOTH | F_STORE
      if (pp == PP_F3) return 8 | F_RM_MM | F_REGISTER_ONLY | F_LEGACY
      return pp == PP_F2 ? 16 | F_REG_MM | F_REGISTER_ONLY | F_LEGACY : 0
    case 0xd7:
      if (pp == PP_NONE) return 8 | F_RM_MM | F_REG_GPR | F_REGISTER_ONLY | F_LEGACY
      return pp == PP_66 ? 16 | F_REG_GPR | F_REGISTER_ONLY | BOTH | F_L1 | F_CROSS : 0
    case 0xe6:
      if (pp == PP_NONE) return 0
      return pp == PP_F3 ? 8 | F_SCALED | F_CROSS | BOTH | F_L1 : UNARY | F_CROSS
    case 0xe7:
      if (pp == PP_NONE) return MMX | F_STORE | F_MEMORY_ONLY
      return pp == PP_66 ? UNARY | F_VEX_ALIGN | F_STORE | F_MEMORY_ONLY : 0
    case 0xf0:
      return pp == PP_F2 ? (UNARY & ~F_ALIGN) | F_MEMORY_ONLY : 0
    case 0xf7:
      if (pp == PP_NONE) return 8 | F_RM_MM | F_REG_MM | F_LEGACY | F_REGISTER_ONLY | F_FLAGS
      return pp == PP_66 ? 16 | BOTH | F_REGISTER_ONLY | F_FLAGS : 0
    case 0xd1:
    case 0xd2:
    case 0xd3:
    case 0xe1:
    case 0xe2:
    case 0xf1:
    case 0xf2:
    case 0xf3:
      if (pp == PP_NONE) return MMX
      return pp == PP_66 ? (PACKED & ~F_SCALED) | F_COUNT : 0
    case 0x6c:
    case 0x6d:
      return pp == PP_66 ? PACKED : 0
  }
  // The regular packed integer instructions: MMX without prefix, SSE2 with 66h.
  const regular =
    (opcode >= 0x60 && opcode <= 0x6b) ||
    (opcode >= 0x74 && opcode <= 0x76) ||
    (opcode >= 0xd4 && opcode <= 0xfe)
  if (!regular || pp > PP_66) return 0
  // PUNPCKLBW, PUNPCKLWD and PUNPCKLDQ read only the half they need when they are MMX instructions.
  if (pp == PP_NONE) return opcode <= 0x62 ? 4 | F_RM_MM | F_REG_MM | F_LEGACY : MMX
  return PACKED
}

const GATHER: u32 = 4 | F_VEX | F_L1 | F_MEMORY_ONLY | F_NDS | F_CROSS

/** Format of opcode 0F 38 `opcode`. */
export function format38(pp: u32, opcode: u32, w: u32): u32 {
  if (opcode <= 0x0b || (opcode >= 0x1c && opcode <= 0x1e)) {
    // SSSE3: MMX and SSE forms.
    const one = opcode >= 0x1c
    if (pp == PP_NONE) return MMX
    return pp == PP_66 ? (one ? UNARY : PACKED) : 0
  }
  if (opcode >= 0xc8 && opcode <= 0xcd) return pp == PP_NONE ? 16 | F_ALIGN | F_LEGACY : 0
  if (pp != PP_66) return 0
  switch (opcode) {
    case 0x0c:
    case 0x0d:
      return VEX_PACKED | F_W0
    case 0x0e:
    case 0x0f:
      return 16 | F_SCALED | F_VEX | F_L1 | F_W0 | F_FLAGS
    case 0x10:
    case 0x14:
    case 0x15:
      return 16 | F_ALIGN | F_LEGACY
    case 0x13:
      return 8 | F_SCALED | F_VEX | F_L1 | F_W0 | F_CROSS
    case 0x16:
    case 0x36:
      return VEX_PACKED | F_W0 | F_NOT_L0 | F_CROSS
    case 0x17:
      return UNARY | F_FLAGS
    case 0x18:
    case 0x58:
      return 4 | F_VEX | F_L1 | F_W0 | F_CROSS
    case 0x19:
      return 8 | F_VEX | F_L1 | F_NOT_L0 | F_W0 | F_CROSS
    case 0x59:
      return 8 | F_VEX | F_L1 | F_W0 | F_CROSS
    case 0x1a:
    case 0x5a:
      return 16 | F_VEX | F_L1 | F_NOT_L0 | F_W0 | F_MEMORY_ONLY | F_CROSS
    case 0x78:
      return 1 | F_VEX | F_L1 | F_W0 | F_CROSS
    case 0x79:
      return 2 | F_VEX | F_L1 | F_W0 | F_CROSS
    case 0x20:
    case 0x23:
    case 0x25:
    case 0x30:
    case 0x33:
    case 0x35:
      return 8 | F_SCALED | F_CROSS | BOTH | F_L1
    case 0x21:
    case 0x24:
    case 0x31:
    case 0x34:
      return 4 | F_SCALED | F_CROSS | BOTH | F_L1
    case 0x22:
    case 0x32:
      return 2 | F_SCALED | F_CROSS | BOTH | F_L1
    case 0x28:
    case 0x29:
    case 0x2b:
    case 0x37:
    case 0x38:
    case 0x39:
    case 0x3a:
    case 0x3b:
    case 0x3c:
    case 0x3d:
    case 0x3e:
    case 0x3f:
    case 0x40:
      return PACKED
    case 0x2a:
      return UNARY | F_VEX_ALIGN | F_MEMORY_ONLY
    case 0x2c:
    case 0x2d:
      return VEX_PACKED | F_W0 | F_MEMORY_ONLY | F_CROSS
    case 0x2e:
    case 0x2f:
      return VEX_PACKED | F_W0 | F_MEMORY_ONLY | F_CROSS | F_STORE
    case 0x8c:
      return VEX_PACKED | F_MEMORY_ONLY | F_CROSS
    case 0x8e:
      return VEX_PACKED | F_MEMORY_ONLY | F_CROSS | F_STORE
    case 0x41:
      return V128
    case 0x45:
    case 0x47:
      return VEX_PACKED
    case 0x46:
      return VEX_PACKED | F_W0
    case 0x90:
    case 0x91:
    case 0x92:
    case 0x93:
      return GATHER
    case 0xdb:
      return V128
    case 0xdc:
    case 0xdd:
    case 0xde:
    case 0xdf:
      return V128 | F_NDS
  }
  // FMA: 96-9F, A6-AF, B6-BF; 6-8 A C E packed, 9 B D F scalar.
  if (opcode >= 0x96 && opcode <= 0xbf && (opcode & 15) >= 6) {
    const low = opcode & 15
    if (low >= 9 && low & 1) return (w ? 8 : 4) | F_NDS | F_VEX | F_LIG
    return VEX_PACKED
  }
  return 0
}

/** Format of opcode 0F 3A `opcode`. */
export function format3A(pp: u32, opcode: u32): u32 {
  if (opcode == 0x0f && pp == PP_NONE) return MMX | F_IMM
  if (opcode == 0xcc) return pp == PP_NONE ? 16 | F_ALIGN | F_LEGACY | F_IMM : 0
  if (pp != PP_66) return 0
  switch (opcode) {
    case 0x00:
    case 0x01:
      return 16 | F_SCALED | F_VEX | F_L1 | F_NOT_L0 | F_W1 | F_IMM | F_CROSS
    case 0x02:
      return VEX_PACKED | F_W0 | F_IMM | F_CROSS
    case 0x04:
    case 0x05:
      return 16 | F_SCALED | F_VEX | F_L1 | F_W0 | F_IMM
    case 0x06:
    case 0x46:
      return VEX_PACKED | F_W0 | F_NOT_L0 | F_IMM | F_CROSS
    case 0x08:
    case 0x09:
      return UNARY | F_IMM
    case 0x0a:
      return SCALAR4 | F_IMM
    case 0x0b:
      return SCALAR8 | F_IMM
    case 0x0c:
    case 0x0d:
    case 0x0e:
      return PACKED | F_IMM | F_CROSS
    case 0x0f:
    case 0x40:
    case 0x42:
      return PACKED | F_IMM | (opcode == 0x42 ? F_CROSS : 0)
    case 0x41:
    case 0x44:
      return V128 | F_NDS | F_IMM
    case 0x14:
      return 1 | F_RM_GPR | F_STORE | BOTH | F_IMM
    case 0x15:
      return 2 | F_RM_GPR | F_STORE | BOTH | F_IMM
    case 0x16:
      return 4 | F_RM_GPR | F_STORE | BOTH | F_IMM | F_WIDE
    case 0x17:
      return 4 | F_RM_GPR | F_STORE | BOTH | F_IMM
    case 0x18:
    case 0x38:
      return 16 | F_NDS | F_VEX | F_L1 | F_NOT_L0 | F_W0 | F_IMM | F_CROSS
    case 0x19:
    case 0x39:
      return 16 | F_VEX | F_L1 | F_NOT_L0 | F_W0 | F_IMM | F_CROSS | F_STORE
    case 0x1d:
      return 8 | F_SCALED | F_VEX | F_L1 | F_W0 | F_IMM | F_CROSS | F_STORE
    case 0x20:
      return 1 | F_RM_GPR | F_NDS | BOTH | F_IMM
    case 0x21:
      return 4 | F_NDS | BOTH | F_IMM
    case 0x22:
      return 4 | F_RM_GPR | F_NDS | BOTH | F_IMM | F_WIDE
    case 0x4a:
    case 0x4b:
    case 0x4c:
      return VEX_PACKED | F_W0 | F_IMM
    case 0x60:
    case 0x61:
    case 0x62:
    case 0x63:
      return 16 | BOTH | F_IMM | F_FLAGS
    case 0xdf:
      return V128 | F_IMM
  }
  return 0
}
