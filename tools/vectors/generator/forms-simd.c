// MMX, SSE to SSE4.2, AVX, AVX2, FMA, F16C, AES, PCLMULQDQ, SHA, and the general-register instructions of the same maps.
#include "forms.h"

enum { NP, P66, PF3, PF2 };

enum {
  REG = 1,          // register operands only
  MEM = 2,          // memory operand only
  IMM = 4,
  AL = 8,           // memory is mostly aligned
  WIDE = 16,        // W = 1 is a form of its own (64-bit mode)
  VEX = 32,         // has a VEX form too (of 128 bits)
  YMM = 64,         // and of 256 bits
  NDS = 128,        // VEX.vvvv is an operand
  HALF = 256,       // memory of the 256-bit form is twice as large
  W1 = 512,         // VEX: W = 1
  FIXED = 1024,     // VEX only
  WX = 2048,        // VEX: both W = 0 and W = 1, memory the same
  NOT128 = 4096,
  WMEM = 8192,      // VEX: W = 1 doubles the (scalar) memory operand
  GPRS = 16384,     // general registers: no vector state needed
  FEWIMM = 32768,   // a form for each of the first eight immediates would be too many; random
};

typedef struct {
  const char *group, *name;
  u8 map, pp, op;
  int ext;          // ModRM.reg or -1
  u8 bytes;         // of the memory operand
  int flavour;
  u32 flags;
  u32 undef;
  void (*hook)(void);
} simd_t;

#define A (VEX | YMM | NDS | HALF | AL)   // packed, two sources
#define U (VEX | YMM | HALF | AL)         // packed, one source
#define S (VEX | NDS)                     // scalar
#define X V_SINGLE
#define D V_DOUBLE
#define I V_INTEGER
#define N V_SMALL

static void text_lengths(void) {
  if (chance(80)) {
    c.in.gpr[RAX] = (u64)(i64)((int)below(24) - 4);
    c.in.gpr[RDX] = (u64)(i64)((int)below(24) - 4);
    if (env->mode != 64) c.in.gpr[RAX] = (u32)c.in.gpr[RAX], c.in.gpr[RDX] = (u32)c.in.gpr[RDX];
  }
}

// MASKMOVDQU: DS:rDI lies in a window.
static void mask_target(void) {
  u64 ea;
  in.segIndex = DS;
  for (;;) {
    u64 t = place((int)below(4), 16, 0);
    if (!ea_of(t, DS, in.asize, &ea)) continue;
    c.in.gpr[RDI] = ea;
    return;
  }
}

static const simd_t table[] = {
  // moves
  {"SSE moves", "MOVUPS", 1, NP, 0x10, -1, 16, I, U & ~AL, 0, 0},
  {"SSE moves", "MOVUPS store", 1, NP, 0x11, -1, 16, I, U & ~AL, 0, 0},
  {"SSE moves", "MOVUPD", 1, P66, 0x10, -1, 16, I, U & ~AL, 0, 0},
  {"SSE moves", "MOVUPD store", 1, P66, 0x11, -1, 16, I, U & ~AL, 0, 0},
  {"SSE moves", "MOVSS r,r", 1, PF3, 0x10, -1, 4, I, VEX | NDS | REG, 0, 0},
  {"SSE moves", "MOVSS r,m", 1, PF3, 0x10, -1, 4, I, VEX | MEM, 0, 0},
  {"SSE moves", "MOVSS store r,r", 1, PF3, 0x11, -1, 4, I, VEX | NDS | REG, 0, 0},
  {"SSE moves", "MOVSS store", 1, PF3, 0x11, -1, 4, I, VEX | MEM, 0, 0},
  {"SSE moves", "MOVSD r,r", 1, PF2, 0x10, -1, 8, I, VEX | NDS | REG, 0, 0},
  {"SSE moves", "MOVSD r,m", 1, PF2, 0x10, -1, 8, I, VEX | MEM, 0, 0},
  {"SSE moves", "MOVSD store r,r", 1, PF2, 0x11, -1, 8, I, VEX | NDS | REG, 0, 0},
  {"SSE moves", "MOVSD store", 1, PF2, 0x11, -1, 8, I, VEX | MEM, 0, 0},
  {"SSE moves", "MOVLPS/MOVHLPS", 1, NP, 0x12, -1, 8, I, VEX | NDS, 0, 0},
  {"SSE moves", "MOVLPD", 1, P66, 0x12, -1, 8, I, VEX | NDS | MEM, 0, 0},
  {"SSE moves", "MOVSLDUP", 1, PF3, 0x12, -1, 16, I, U, 0, 0},
  {"SSE moves", "MOVDDUP", 1, PF2, 0x12, -1, 8, I, VEX | YMM | HALF, 0, 0},
  {"SSE moves", "MOVLPS store", 1, NP, 0x13, -1, 8, I, VEX | MEM, 0, 0},
  {"SSE moves", "MOVLPD store", 1, P66, 0x13, -1, 8, I, VEX | MEM, 0, 0},
  {"SSE moves", "UNPCKLPS", 1, NP, 0x14, -1, 16, I, A, 0, 0},
  {"SSE moves", "UNPCKLPD", 1, P66, 0x14, -1, 16, I, A, 0, 0},
  {"SSE moves", "UNPCKHPS", 1, NP, 0x15, -1, 16, I, A, 0, 0},
  {"SSE moves", "UNPCKHPD", 1, P66, 0x15, -1, 16, I, A, 0, 0},
  {"SSE moves", "MOVHPS/MOVLHPS", 1, NP, 0x16, -1, 8, I, VEX | NDS, 0, 0},
  {"SSE moves", "MOVHPD", 1, P66, 0x16, -1, 8, I, VEX | NDS | MEM, 0, 0},
  {"SSE moves", "MOVSHDUP", 1, PF3, 0x16, -1, 16, I, U, 0, 0},
  {"SSE moves", "MOVHPS store", 1, NP, 0x17, -1, 8, I, VEX | MEM, 0, 0},
  {"SSE moves", "MOVHPD store", 1, P66, 0x17, -1, 8, I, VEX | MEM, 0, 0},
  {"SSE moves", "MOVAPS", 1, NP, 0x28, -1, 16, I, U, 0, 0},
  {"SSE moves", "MOVAPS store", 1, NP, 0x29, -1, 16, I, U, 0, 0},
  {"SSE moves", "MOVAPD", 1, P66, 0x28, -1, 16, I, U, 0, 0},
  {"SSE moves", "MOVAPD store", 1, P66, 0x29, -1, 16, I, U, 0, 0},
  {"SSE moves", "MOVNTPS", 1, NP, 0x2b, -1, 16, I, U | MEM, 0, 0},
  {"SSE moves", "MOVNTPD", 1, P66, 0x2b, -1, 16, I, U | MEM, 0, 0},
  {"SSE moves", "MOVMSKPS", 1, NP, 0x50, -1, 0, I, VEX | YMM | REG | WIDE, 0, 0},
  {"SSE moves", "MOVMSKPD", 1, P66, 0x50, -1, 0, I, VEX | YMM | REG | WIDE, 0, 0},
  {"SSE moves", "MOVD mm", 1, NP, 0x6e, -1, 4, I, WIDE, 0, 0},
  {"SSE moves", "MOVD xmm", 1, P66, 0x6e, -1, 4, I, WIDE | VEX, 0, 0},
  {"SSE moves", "MOVD store mm", 1, NP, 0x7e, -1, 4, I, WIDE, 0, 0},
  {"SSE moves", "MOVD store xmm", 1, P66, 0x7e, -1, 4, I, WIDE | VEX, 0, 0},
  {"SSE moves", "MOVQ xmm", 1, PF3, 0x7e, -1, 8, I, VEX, 0, 0},
  {"SSE moves", "MOVQ store", 1, P66, 0xd6, -1, 8, I, VEX, 0, 0},
  {"SSE moves", "MOVQ mm", 1, NP, 0x6f, -1, 8, I, 0, 0, 0},
  {"SSE moves", "MOVQ store mm", 1, NP, 0x7f, -1, 8, I, 0, 0, 0},
  {"SSE moves", "MOVDQA", 1, P66, 0x6f, -1, 16, I, U, 0, 0},
  {"SSE moves", "MOVDQA store", 1, P66, 0x7f, -1, 16, I, U, 0, 0},
  {"SSE moves", "MOVDQU", 1, PF3, 0x6f, -1, 16, I, U & ~AL, 0, 0},
  {"SSE moves", "MOVDQU store", 1, PF3, 0x7f, -1, 16, I, U & ~AL, 0, 0},
  {"SSE moves", "MOVQ2DQ", 1, PF3, 0xd6, -1, 0, I, REG, 0, 0},
  {"SSE moves", "MOVDQ2Q", 1, PF2, 0xd6, -1, 0, I, REG, 0, 0},
  {"SSE moves", "MOVNTI", 1, NP, 0xc3, -1, 4, I, MEM | WIDE, 0, 0},
  {"SSE moves", "MOVNTQ", 1, NP, 0xe7, -1, 8, I, MEM, 0, 0},
  {"SSE moves", "MOVNTDQ", 1, P66, 0xe7, -1, 16, I, U | MEM, 0, 0},
  {"SSE moves", "LDDQU", 1, PF2, 0xf0, -1, 16, I, (U & ~AL) | MEM, 0, 0},
  {"SSE moves", "MOVNTDQA", 2, P66, 0x2a, -1, 16, I, U | MEM, 0, 0},
  {"SSE moves", "MASKMOVQ", 1, NP, 0xf7, -1, 0, N, REG, 0, mask_target},
  {"SSE moves", "MASKMOVDQU", 1, P66, 0xf7, -1, 0, N, REG | VEX, 0, mask_target},
  {"SSE moves", "PMOVMSKB mm", 1, NP, 0xd7, -1, 0, I, REG | WIDE, 0, 0},
  {"SSE moves", "PMOVMSKB", 1, P66, 0xd7, -1, 0, I, REG | VEX | YMM | WIDE, 0, 0},
  {"SSE moves", "EMMS", 1, NP, 0x77, -2, 0, I, 0, 0, 0},
  {"SSE moves", "LDMXCSR", 1, NP, 0xae, 2, 4, I, MEM | VEX, 0, 0},
  {"SSE moves", "STMXCSR", 1, NP, 0xae, 3, 4, I, MEM | VEX, 0, 0},
  {"SSE moves", "CLFLUSH", 1, NP, 0xae, 7, 1, I, MEM, 0, 0},
  {"SSE moves", "CLFLUSHOPT", 1, P66, 0xae, 7, 1, I, MEM, 0, 0},
  {"SSE moves", "CLWB", 1, P66, 0xae, 6, 1, I, MEM, 0, 0},
  {"SSE moves", "LFENCE", 1, NP, 0xae, 5, 0, I, REG, 0, 0},
  {"SSE moves", "MFENCE", 1, NP, 0xae, 6, 0, I, REG, 0, 0},
  {"SSE moves", "SFENCE", 1, NP, 0xae, 7, 0, I, REG, 0, 0},
  // shuffles and inserts
  {"SSE shuffles", "PSHUFW", 1, NP, 0x70, -1, 8, I, IMM, 0, 0},
  {"SSE shuffles", "PSHUFD", 1, P66, 0x70, -1, 16, I, U | IMM, 0, 0},
  {"SSE shuffles", "PSHUFHW", 1, PF3, 0x70, -1, 16, I, U | IMM, 0, 0},
  {"SSE shuffles", "PSHUFLW", 1, PF2, 0x70, -1, 16, I, U | IMM, 0, 0},
  {"SSE shuffles", "SHUFPS", 1, NP, 0xc6, -1, 16, I, A | IMM, 0, 0},
  {"SSE shuffles", "SHUFPD", 1, P66, 0xc6, -1, 16, I, A | IMM, 0, 0},
  {"SSE shuffles", "PINSRW mm", 1, NP, 0xc4, -1, 2, I, IMM | WIDE, 0, 0},
  {"SSE shuffles", "PINSRW", 1, P66, 0xc4, -1, 2, I, IMM | VEX | NDS | WIDE, 0, 0},
  {"SSE shuffles", "PEXTRW mm", 1, NP, 0xc5, -1, 0, I, IMM | REG | WIDE, 0, 0},
  {"SSE shuffles", "PEXTRW", 1, P66, 0xc5, -1, 0, I, IMM | REG | VEX | WIDE, 0, 0},
  {"SSE shuffles", "PEXTRB", 3, P66, 0x14, -1, 1, I, IMM | VEX | WIDE, 0, 0},
  {"SSE shuffles", "PEXTRW store", 3, P66, 0x15, -1, 2, I, IMM | VEX | WIDE, 0, 0},
  {"SSE shuffles", "PEXTRD", 3, P66, 0x16, -1, 4, I, IMM | VEX | WIDE, 0, 0},
  {"SSE shuffles", "EXTRACTPS", 3, P66, 0x17, -1, 4, I, IMM | VEX | WIDE, 0, 0},
  {"SSE shuffles", "PINSRB", 3, P66, 0x20, -1, 1, I, IMM | VEX | NDS | WIDE, 0, 0},
  {"SSE shuffles", "INSERTPS", 3, P66, 0x21, -1, 4, I, IMM | VEX | NDS, 0, 0},
  {"SSE shuffles", "PINSRD", 3, P66, 0x22, -1, 4, I, IMM | VEX | NDS | WIDE, 0, 0},
  {"SSE shuffles", "PALIGNR mm", 3, NP, 0x0f, -1, 8, I, IMM, 0, 0},
  {"SSE shuffles", "PALIGNR", 3, P66, 0x0f, -1, 16, I, A | IMM, 0, 0},
  {"SSE shuffles", "PSHUFB mm", 2, NP, 0x00, -1, 8, N, 0, 0, 0},
  {"SSE shuffles", "PSHUFB", 2, P66, 0x00, -1, 16, N, A, 0, 0},
  {"SSE shuffles", "PBLENDVB", 2, P66, 0x10, -1, 16, I, AL, 0, 0},
  {"SSE shuffles", "BLENDVPS", 2, P66, 0x14, -1, 16, I, AL, 0, 0},
  {"SSE shuffles", "BLENDVPD", 2, P66, 0x15, -1, 16, I, AL, 0, 0},
  {"SSE shuffles", "BLENDPS", 3, P66, 0x0c, -1, 16, I, A | IMM, 0, 0},
  {"SSE shuffles", "BLENDPD", 3, P66, 0x0d, -1, 16, I, A | IMM, 0, 0},
  {"SSE shuffles", "PBLENDW", 3, P66, 0x0e, -1, 16, I, A | IMM, 0, 0},
  {"SSE shuffles", "PTEST", 2, P66, 0x17, -1, 16, N, U, 0, 0},
  // conversions
  {"SSE conversions", "CVTPI2PS", 1, NP, 0x2a, -1, 8, I, 0, 0, 0},
  {"SSE conversions", "CVTPI2PD", 1, P66, 0x2a, -1, 8, I, 0, 0, 0},
  {"SSE conversions", "CVTSI2SS", 1, PF3, 0x2a, -1, 4, I, S | WIDE, 0, 0},
  {"SSE conversions", "CVTSI2SD", 1, PF2, 0x2a, -1, 4, I, S | WIDE, 0, 0},
  {"SSE conversions", "CVTTPS2PI", 1, NP, 0x2c, -1, 8, X, 0, 0, 0},
  {"SSE conversions", "CVTTPD2PI", 1, P66, 0x2c, -1, 16, D, AL, 0, 0},
  {"SSE conversions", "CVTTSS2SI", 1, PF3, 0x2c, -1, 4, X, VEX | WIDE, 0, 0},
  {"SSE conversions", "CVTTSD2SI", 1, PF2, 0x2c, -1, 8, D, VEX | WIDE, 0, 0},
  {"SSE conversions", "CVTPS2PI", 1, NP, 0x2d, -1, 8, X, 0, 0, 0},
  {"SSE conversions", "CVTPD2PI", 1, P66, 0x2d, -1, 16, D, AL, 0, 0},
  {"SSE conversions", "CVTSS2SI", 1, PF3, 0x2d, -1, 4, X, VEX | WIDE, 0, 0},
  {"SSE conversions", "CVTSD2SI", 1, PF2, 0x2d, -1, 8, D, VEX | WIDE, 0, 0},
  {"SSE conversions", "CVTPS2PD", 1, NP, 0x5a, -1, 8, X, VEX | YMM | HALF, 0, 0},
  {"SSE conversions", "CVTPD2PS", 1, P66, 0x5a, -1, 16, D, U, 0, 0},
  {"SSE conversions", "CVTSS2SD", 1, PF3, 0x5a, -1, 4, X, S, 0, 0},
  {"SSE conversions", "CVTSD2SS", 1, PF2, 0x5a, -1, 8, D, S, 0, 0},
  {"SSE conversions", "CVTDQ2PS", 1, NP, 0x5b, -1, 16, I, U, 0, 0},
  {"SSE conversions", "CVTPS2DQ", 1, P66, 0x5b, -1, 16, X, U, 0, 0},
  {"SSE conversions", "CVTTPS2DQ", 1, PF3, 0x5b, -1, 16, X, U, 0, 0},
  {"SSE conversions", "CVTTPD2DQ", 1, P66, 0xe6, -1, 16, D, U, 0, 0},
  {"SSE conversions", "CVTDQ2PD", 1, PF3, 0xe6, -1, 8, I, VEX | YMM | HALF, 0, 0},
  {"SSE conversions", "CVTPD2DQ", 1, PF2, 0xe6, -1, 16, D, U, 0, 0},
  {"SSE conversions", "ROUNDPS", 3, P66, 0x08, -1, 16, X, U | IMM, 0, 0},
  {"SSE conversions", "ROUNDPD", 3, P66, 0x09, -1, 16, D, U | IMM, 0, 0},
  {"SSE conversions", "ROUNDSS", 3, P66, 0x0a, -1, 4, X, S | IMM, 0, 0},
  {"SSE conversions", "ROUNDSD", 3, P66, 0x0b, -1, 8, D, S | IMM, 0, 0},
  // comparisons
  {"SSE comparisons", "UCOMISS", 1, NP, 0x2e, -1, 4, X, VEX, 0, 0},
  {"SSE comparisons", "UCOMISD", 1, P66, 0x2e, -1, 8, D, VEX, 0, 0},
  {"SSE comparisons", "COMISS", 1, NP, 0x2f, -1, 4, X, VEX, 0, 0},
  {"SSE comparisons", "COMISD", 1, P66, 0x2f, -1, 8, D, VEX, 0, 0},
  {"SSE comparisons", "CMPPS", 1, NP, 0xc2, -1, 16, X, A | IMM, 0, 0},
  {"SSE comparisons", "CMPPD", 1, P66, 0xc2, -1, 16, D, A | IMM, 0, 0},
  {"SSE comparisons", "CMPSS", 1, PF3, 0xc2, -1, 4, X, S | IMM, 0, 0},
  {"SSE comparisons", "CMPSD", 1, PF2, 0xc2, -1, 8, D, S | IMM, 0, 0},
  // strings
  {"SSE4.2 strings", "PCMPESTRM", 3, P66, 0x60, -1, 16, V_TEXT, IMM | VEX | WIDE, 0, text_lengths},
  {"SSE4.2 strings", "PCMPESTRI", 3, P66, 0x61, -1, 16, V_TEXT, IMM | VEX | WIDE, 0, text_lengths},
  {"SSE4.2 strings", "PCMPISTRM", 3, P66, 0x62, -1, 16, V_TEXT, IMM | VEX, 0, 0},
  {"SSE4.2 strings", "PCMPISTRI", 3, P66, 0x63, -1, 16, V_TEXT, IMM | VEX, 0, 0},
  // others of SSE4
  {"SSE4 integers", "PHMINPOSUW", 2, P66, 0x41, -1, 16, N, VEX | AL, 0, 0},
  {"SSE4 integers", "MPSADBW", 3, P66, 0x42, -1, 16, I, A | IMM, 0, 0},
  {"SSE products", "DPPS", 3, P66, 0x40, -1, 16, X, A | IMM, 0, 0},
  {"SSE products", "DPPD", 3, P66, 0x41, -1, 16, D, VEX | NDS | AL | IMM, 0, 0},
  {"SSE products", "PCLMULQDQ", 3, P66, 0x44, -1, 16, I, VEX | NDS | AL | IMM, 0, 0},
  {"AES", "AESIMC", 2, P66, 0xdb, -1, 16, I, VEX | AL, 0, 0},
  {"AES", "AESENC", 2, P66, 0xdc, -1, 16, I, VEX | NDS | AL, 0, 0},
  {"AES", "AESENCLAST", 2, P66, 0xdd, -1, 16, I, VEX | NDS | AL, 0, 0},
  {"AES", "AESDEC", 2, P66, 0xde, -1, 16, I, VEX | NDS | AL, 0, 0},
  {"AES", "AESDECLAST", 2, P66, 0xdf, -1, 16, I, VEX | NDS | AL, 0, 0},
  {"AES", "AESKEYGENASSIST", 3, P66, 0xdf, -1, 16, I, VEX | AL | IMM, 0, 0},
  {"SHA", "SHA1NEXTE", 2, NP, 0xc8, -1, 16, I, AL, 0, 0},
  {"SHA", "SHA1MSG1", 2, NP, 0xc9, -1, 16, I, AL, 0, 0},
  {"SHA", "SHA1MSG2", 2, NP, 0xca, -1, 16, I, AL, 0, 0},
  {"SHA", "SHA256RNDS2", 2, NP, 0xcb, -1, 16, I, AL, 0, 0},
  {"SHA", "SHA256MSG1", 2, NP, 0xcc, -1, 16, I, AL, 0, 0},
  {"SHA", "SHA256MSG2", 2, NP, 0xcd, -1, 16, I, AL, 0, 0},
  {"SHA", "SHA1RNDS4", 3, NP, 0xcc, -1, 16, I, AL | IMM, 0, 0},
  // general registers
  {"bit counts", "POPCNT", 1, PF3, 0xb8, -1, 4, I, GPRS, 0, 0},
  {"bit counts", "TZCNT", 1, PF3, 0xbc, -1, 4, I, GPRS, OF | SF | AF | PF, 0},
  {"bit counts", "LZCNT", 1, PF3, 0xbd, -1, 4, I, GPRS, OF | SF | AF | PF, 0},
  {"CRC32", "CRC32 r/m", 2, PF2, 0xf1, -1, 4, I, GPRS, 0, 0},
  {"CRC32", "MOVBE load", 2, NP, 0xf0, -1, 4, I, GPRS | MEM, 0, 0},
  {"CRC32", "MOVBE store", 2, NP, 0xf1, -1, 4, I, GPRS | MEM, 0, 0},
  {"CRC32", "CRC32 r/m8", 2, PF2, 0xf0, -1, 1, I, WIDE, 0, 0},
  {"ADX", "ADCX", 2, P66, 0xf6, -1, 4, I, WIDE, 0, 0},
  {"ADX", "ADOX", 2, PF3, 0xf6, -1, 4, I, WIDE, 0, 0},
};

// AVX, AVX2, FMA, F16C, BMI: VEX only.
#define V (FIXED | VEX)
static const simd_t vexTable[] = {
  {"BMI", "ANDN", 2, NP, 0xf2, -1, 4, I, V | NDS | WX | WMEM, AF | PF, 0},
  {"BMI", "BLSR", 2, NP, 0xf3, 1, 4, I, V | NDS | WX | WMEM, AF | PF, 0},
  {"BMI", "BLSMSK", 2, NP, 0xf3, 2, 4, I, V | NDS | WX | WMEM, AF | PF, 0},
  {"BMI", "BLSI", 2, NP, 0xf3, 3, 4, I, V | NDS | WX | WMEM, AF | PF, 0},
  {"BMI", "BZHI", 2, NP, 0xf5, -1, 4, I, V | NDS | WX | WMEM, AF | PF, 0},
  {"BMI", "PEXT", 2, PF3, 0xf5, -1, 4, I, V | NDS | WX | WMEM, 0, 0},
  {"BMI", "PDEP", 2, PF2, 0xf5, -1, 4, I, V | NDS | WX | WMEM, 0, 0},
  {"BMI", "MULX", 2, PF2, 0xf6, -1, 4, I, V | NDS | WX | WMEM, 0, 0},
  {"BMI", "BEXTR", 2, NP, 0xf7, -1, 4, I, V | NDS | WX | WMEM, AF | SF | PF, 0},
  {"BMI", "SHLX", 2, P66, 0xf7, -1, 4, I, V | NDS | WX | WMEM, 0, 0},
  {"BMI", "SARX", 2, PF3, 0xf7, -1, 4, I, V | NDS | WX | WMEM, 0, 0},
  {"BMI", "SHRX", 2, PF2, 0xf7, -1, 4, I, V | NDS | WX | WMEM, 0, 0},
  {"BMI", "RORX", 3, PF2, 0xf0, -1, 4, I, V | IMM | WX | WMEM, 0, 0},
  {"AVX", "VZEROUPPER", 1, NP, 0x77, -2, 0, I, V | YMM, 0, 0},
  {"AVX", "VPERMILPS", 2, P66, 0x0c, -1, 16, I, V | YMM | NDS | HALF, 0, 0},
  {"AVX", "VPERMILPD", 2, P66, 0x0d, -1, 16, I, V | YMM | NDS | HALF, 0, 0},
  {"AVX", "VTESTPS", 2, P66, 0x0e, -1, 16, I, V | YMM | HALF, 0, 0},
  {"AVX", "VTESTPD", 2, P66, 0x0f, -1, 16, I, V | YMM | HALF, 0, 0},
  {"AVX", "VBROADCASTSS", 2, P66, 0x18, -1, 4, I, V | YMM, 0, 0},
  {"AVX", "VBROADCASTSD", 2, P66, 0x19, -1, 8, I, V | YMM | NOT128, 0, 0},
  {"AVX", "VBROADCASTF128", 2, P66, 0x1a, -1, 16, I, V | YMM | NOT128 | MEM, 0, 0},
  {"AVX", "VMASKMOVPS", 2, P66, 0x2c, -1, 16, I, V | YMM | NDS | HALF | MEM, 0, 0},
  {"AVX", "VMASKMOVPD", 2, P66, 0x2d, -1, 16, I, V | YMM | NDS | HALF | MEM, 0, 0},
  {"AVX", "VMASKMOVPS store", 2, P66, 0x2e, -1, 16, I, V | YMM | NDS | HALF | MEM, 0, 0},
  {"AVX", "VMASKMOVPD store", 2, P66, 0x2f, -1, 16, I, V | YMM | NDS | HALF | MEM, 0, 0},
  {"AVX", "VPERMILPS imm", 3, P66, 0x04, -1, 16, I, V | YMM | HALF | IMM, 0, 0},
  {"AVX", "VPERMILPD imm", 3, P66, 0x05, -1, 16, I, V | YMM | HALF | IMM, 0, 0},
  {"AVX", "VPERM2F128", 3, P66, 0x06, -1, 16, I, V | YMM | NOT128 | NDS | HALF | IMM, 0, 0},
  {"AVX", "VINSERTF128", 3, P66, 0x18, -1, 16, I, V | YMM | NOT128 | NDS | IMM, 0, 0},
  {"AVX", "VEXTRACTF128", 3, P66, 0x19, -1, 16, I, V | YMM | NOT128 | IMM, 0, 0},
  {"AVX", "VBLENDVPS", 3, P66, 0x4a, -1, 16, I, V | YMM | NDS | HALF | IMM, 0, 0},
  {"AVX", "VBLENDVPD", 3, P66, 0x4b, -1, 16, I, V | YMM | NDS | HALF | IMM, 0, 0},
  {"AVX", "VPBLENDVB", 3, P66, 0x4c, -1, 16, I, V | YMM | NDS | HALF | IMM, 0, 0},
  {"F16C", "VCVTPH2PS", 2, P66, 0x13, -1, 8, N, V | YMM | HALF, 0, 0},
  {"F16C", "VCVTPS2PH", 3, P66, 0x1d, -1, 8, X, V | YMM | HALF | IMM, 0, 0},
  {"AVX2", "VPERMPS", 2, P66, 0x16, -1, 16, I, V | YMM | NOT128 | NDS | HALF, 0, 0},
  {"AVX2", "VPERMD", 2, P66, 0x36, -1, 16, I, V | YMM | NOT128 | NDS | HALF, 0, 0},
  {"AVX2", "VPERMQ", 3, P66, 0x00, -1, 16, I, V | YMM | NOT128 | HALF | W1 | IMM, 0, 0},
  {"AVX2", "VPERMPD", 3, P66, 0x01, -1, 16, I, V | YMM | NOT128 | HALF | W1 | IMM, 0, 0},
  {"AVX2", "VPBLENDD", 3, P66, 0x02, -1, 16, I, V | YMM | NDS | HALF | IMM, 0, 0},
  {"AVX2", "VPERM2I128", 3, P66, 0x46, -1, 16, I, V | YMM | NOT128 | NDS | HALF | IMM, 0, 0},
  {"AVX2", "VINSERTI128", 3, P66, 0x38, -1, 16, I, V | YMM | NOT128 | NDS | IMM, 0, 0},
  {"AVX2", "VEXTRACTI128", 3, P66, 0x39, -1, 16, I, V | YMM | NOT128 | IMM, 0, 0},
  {"AVX2", "VPSRLV", 2, P66, 0x45, -1, 16, I, V | YMM | NDS | HALF | WX, 0, 0},
  {"AVX2", "VPSRAVD", 2, P66, 0x46, -1, 16, I, V | YMM | NDS | HALF, 0, 0},
  {"AVX2", "VPSLLV", 2, P66, 0x47, -1, 16, I, V | YMM | NDS | HALF | WX, 0, 0},
  {"AVX2", "VPBROADCASTD", 2, P66, 0x58, -1, 4, I, V | YMM, 0, 0},
  {"AVX2", "VPBROADCASTQ", 2, P66, 0x59, -1, 8, I, V | YMM, 0, 0},
  {"AVX2", "VBROADCASTI128", 2, P66, 0x5a, -1, 16, I, V | YMM | NOT128 | MEM, 0, 0},
  {"AVX2", "VPBROADCASTB", 2, P66, 0x78, -1, 1, I, V | YMM, 0, 0},
  {"AVX2", "VPBROADCASTW", 2, P66, 0x79, -1, 2, I, V | YMM, 0, 0},
  {"AVX2", "VPMASKMOV", 2, P66, 0x8c, -1, 16, I, V | YMM | NDS | HALF | MEM | WX, 0, 0},
  {"AVX2", "VPMASKMOV store", 2, P66, 0x8e, -1, 16, I, V | YMM | NDS | HALF | MEM | WX, 0, 0},
};

static bool isSha(const simd_t *t) { return t->map > 1 && t->pp == NP && t->op >= 0xc8; }

static void place_memory(const simd_t *t, u32 bytes) {
  if (t->flags & AL && !in.vex) in.align = true;
  if (t->op == 0x28 || t->op == 0x29 || t->op == 0x2b || t->op == 0x6f || t->op == 0x7f || t->op == 0xe7 || t->op == 0x2a)
    in.align = (t->flags & AL) != 0;
  if (t->hook == text_lengths) in.avoid = 1 << RAX | 1 << RDX;
  rm_mem(bytes, MEM_NOPATCH);
  if (bytes && chance(75)) {
    u32 words[16], state = rnd();
    for (int i = 0; i < 16; i += 2) vector_words(t->flavour, &state, words + i);
    if (hot && (t->flavour == X || t->flavour == D) && chance(75)) hot_words(words, 16);
    patch(in.linear, words, bytes);
  }
}

static void one(const simd_t *t, bool memory, bool vex, bool l, bool w) {
  u32 bytes = t->bytes;
  c.undefFlags = t->undef;
  // Masked stores and VCVTPS2PH report other addresses, or leave MXCSR alone, when they fault elsewhere.
  if ((t->map == 1 && t->op == 0xf7) || (t->map == 2 && (t->op == 0x2e || t->op == 0x2f || t->op == 0x8e)) || (t->map == 3 && t->op == 0x1d))
    in.intelFaults = true;
  if (t->map == 1 && t->op == 0xf7 && t->pp == NP) in.vagueFaults = true;
  if (t->map == 3 && (t->op & 0xfe) == 0x40) in.intelNans = true;
  if (vex) {
    in.vex = true;
    in.l = l;
    in.map = t->map;
    in.pp = t->pp;
    in.rex = env->mode == 64;
    in.w = w;
    if (t->flags & NDS) in.vvvv = (u8)below(env->mode == 64 ? 16 : 8);
    if (l && t->flags & HALF) bytes *= 2;
    if (l && t->map == 1 && t->pp == PF2 && t->op == 0x12) bytes = 32;
    if (w && (t->flags & WMEM || (t->flags & WIDE && t->bytes == 4))) bytes *= 2;
    in.op[0] = t->op;
    in.nop = 1;
  } else {
    if (t->pp == P66) in.p66 = true;
    else if (t->pp) in.rep = t->pp == PF3 ? 0xf3 : 0xf2;
    in.nop = 0;
    in.op[in.nop++] = 0x0f;
    if (t->map > 1) in.op[in.nop++] = t->map == 2 ? 0x38 : 0x3a;
    in.op[in.nop++] = t->op;
    if (w) {
      in.w = in.rex = true;
      if (t->bytes == 4) bytes = 8;
    } else in.w = false;
  }
  if (t->ext == -2) return;
  if (t->hook == mask_target) {
    if (!vex && chance(10)) asize(other_asize());
    t->hook();
  }
  if (t->flags & IMM) imm(1, chance(50) ? rnd() : below(32));
  in.reg = (u8)(t->ext >= 0 ? t->ext : reg_any());
  if (memory) place_memory(t, bytes);
  else rm_reg(reg_any());
  if (t->hook && t->hook != mask_target) t->hook();
}

// SHA instructions with misaligned memory: #GP by the manual (SDM 2 2.4.4), not here.
static bool disputed(const simd_t *t) { return isSha(t) && in.memory && in.linear & 15; }

static void each(const simd_t *t, bool vex, u32 cases) {
  int flavourBefore = flavour;
  flavour = t->flavour;
  for (int l = 0; l < (vex && t->flags & YMM ? 2 : 1); l++)
    for (int w = 0; w < 2; w++) {
      if (vex && !l && t->flags & NOT128) continue;
      bool both = vex ? t->flags & WX || (t->flags & WIDE && env->mode == 64) : t->flags & WIDE && env->mode == 64;
      if (w && !both) continue;
      bool wBit = w || (vex && t->flags & W1);
      for (int memory = 0; memory < 2; memory++) {
        if (memory ? t->flags & REG || t->ext == -2 : t->flags & MEM) continue;
        form(t->group, "%s%s%s%s%s", vex && !(t->flags & FIXED) ? "V" : "", t->name, vex ? l ? " 256" : " 128" : "", w ? " W" : "",
             memory ? " [mem]" : "");
        u32 n = t->flags & IMM ? cases * 3 / 2 : cases;
        if (t->flavour == X || t->flavour == D) n = n * 5 / 2;
        if (t->ext == -2) n = 4;
        for (u32 k = scaled(n); k && begin();) {
          one(t, memory, vex, l, wBit);
          if (disputed(t)) continue;
          finish();
          k--;
        }
      }
    }
  flavour = flavourBefore;
}

// Instructions in rows: MMX without prefix and SSE with 66h.
static void integers(bool vex, u32 cases) {
  static const struct { u8 op, flags; const char *name; } row[] = {
    {0x60, 1, "PUNPCKLBW"}, {0x61, 1, "PUNPCKLWD"}, {0x62, 1, "PUNPCKLDQ"}, {0x63, 1, "PACKSSWB"}, {0x64, 1, "PCMPGTB"},
    {0x65, 1, "PCMPGTW"}, {0x66, 1, "PCMPGTD"}, {0x67, 1, "PACKUSWB"}, {0x68, 1, "PUNPCKHBW"}, {0x69, 1, "PUNPCKHWD"},
    {0x6a, 1, "PUNPCKHDQ"}, {0x6b, 1, "PACKSSDW"}, {0x6c, 0, "PUNPCKLQDQ"}, {0x6d, 0, "PUNPCKHQDQ"}, {0x74, 1, "PCMPEQB"},
    {0x75, 1, "PCMPEQW"}, {0x76, 1, "PCMPEQD"}, {0xd1, 3, "PSRLW"}, {0xd2, 3, "PSRLD"}, {0xd3, 3, "PSRLQ"}, {0xd4, 1, "PADDQ"},
    {0xd5, 1, "PMULLW"}, {0xd8, 1, "PSUBUSB"}, {0xd9, 1, "PSUBUSW"}, {0xda, 1, "PMINUB"}, {0xdb, 1, "PAND"}, {0xdc, 1, "PADDUSB"},
    {0xdd, 1, "PADDUSW"}, {0xde, 1, "PMAXUB"}, {0xdf, 1, "PANDN"}, {0xe0, 1, "PAVGB"}, {0xe1, 3, "PSRAW"}, {0xe2, 3, "PSRAD"},
    {0xe3, 1, "PAVGW"}, {0xe4, 1, "PMULHUW"}, {0xe5, 1, "PMULHW"}, {0xe8, 1, "PSUBSB"}, {0xe9, 1, "PSUBSW"}, {0xea, 1, "PMINSW"},
    {0xeb, 1, "POR"}, {0xec, 1, "PADDSB"}, {0xed, 1, "PADDSW"}, {0xee, 1, "PMAXSW"}, {0xef, 1, "PXOR"}, {0xf1, 3, "PSLLW"},
    {0xf2, 3, "PSLLD"}, {0xf3, 3, "PSLLQ"}, {0xf4, 1, "PMULUDQ"}, {0xf5, 1, "PMADDWD"}, {0xf6, 1, "PSADBW"}, {0xf8, 1, "PSUBB"},
    {0xf9, 1, "PSUBW"}, {0xfa, 1, "PSUBD"}, {0xfb, 1, "PSUBQ"}, {0xfc, 1, "PADDB"}, {0xfd, 1, "PADDW"}, {0xfe, 1, "PADDD"},
  };
  for (u32 i = 0; i < sizeof row / sizeof *row; i++) {
    bool count = row[i].flags & 2;
    char name[40];
    snprintf(name, sizeof name, "%s mm", row[i].name);
    simd_t t = {"MMX", name, 1, NP, row[i].op, -1, row[i].op <= 0x62 ? 4 : 8, count ? I : N, 0, 0, 0};
    if (!vex && row[i].flags & 1) each(&t, false, cases * 2 / 3);
    t = (simd_t){"SSE2 integers", row[i].name, 1, P66, row[i].op, -1, 16, count ? I : N, A, 0, 0};
    if (count) t.flags &= ~(u32)HALF;
    each(&t, vex, cases);
  }
  static const struct { u8 op, mmx; const char *name; } row38[] = {
    {0x01, 1, "PHADDW"}, {0x02, 1, "PHADDD"}, {0x03, 1, "PHADDSW"}, {0x04, 1, "PMADDUBSW"}, {0x05, 1, "PHSUBW"}, {0x06, 1, "PHSUBD"},
    {0x07, 1, "PHSUBSW"}, {0x08, 1, "PSIGNB"}, {0x09, 1, "PSIGNW"}, {0x0a, 1, "PSIGND"}, {0x0b, 1, "PMULHRSW"}, {0x28, 0, "PMULDQ"},
    {0x29, 0, "PCMPEQQ"}, {0x2b, 0, "PACKUSDW"}, {0x37, 0, "PCMPGTQ"}, {0x38, 0, "PMINSB"}, {0x39, 0, "PMINSD"}, {0x3a, 0, "PMINUW"},
    {0x3b, 0, "PMINUD"}, {0x3c, 0, "PMAXSB"}, {0x3d, 0, "PMAXSD"}, {0x3e, 0, "PMAXUW"}, {0x3f, 0, "PMAXUD"}, {0x40, 0, "PMULLD"},
    {0x1c, 3, "PABSB"}, {0x1d, 3, "PABSW"}, {0x1e, 3, "PABSD"},
  };
  for (u32 i = 0; i < sizeof row38 / sizeof *row38; i++) {
    char name[40];
    snprintf(name, sizeof name, "%s mm", row38[i].name);
    simd_t t = {"SSSE3", name, 2, NP, row38[i].op, -1, 8, N, 0, 0, 0};
    if (!vex && row38[i].mmx) each(&t, false, cases * 2 / 3);
    t = (simd_t){row38[i].mmx ? "SSSE3" : "SSE4 integers", row38[i].name, 2, P66, row38[i].op, -1, 16, N,
                 row38[i].mmx & 2 ? U : A, 0, 0};
    each(&t, vex, cases);
  }
  static const u8 from[6] = {8, 4, 2, 8, 4, 8};
  for (int i = 0; i < 12; i++) {
    char name[40];
    int k = i % 6;
    snprintf(name, sizeof name, "PMOV%s %d", i < 6 ? "SX" : "ZX", k);
    simd_t t = {"SSE4 integers", name, 2, P66, (u8)((i < 6 ? 0x20 : 0x30) + k), -1, from[k], N, VEX | YMM | HALF, 0, 0};
    each(&t, vex, cases);
  }
  static const struct { u8 op, ext; const char *name; } group[] = {
    {0x71, 2, "PSRLW imm"}, {0x71, 4, "PSRAW imm"}, {0x71, 6, "PSLLW imm"}, {0x72, 2, "PSRLD imm"}, {0x72, 4, "PSRAD imm"},
    {0x72, 6, "PSLLD imm"}, {0x73, 2, "PSRLQ imm"}, {0x73, 6, "PSLLQ imm"}, {0x73, 3, "PSRLDQ"}, {0x73, 7, "PSLLDQ"},
  };
  for (u32 i = 0; i < sizeof group / sizeof *group; i++) {
    char name[40];
    snprintf(name, sizeof name, "%s mm", group[i].name);
    simd_t t = {"MMX", name, 1, NP, group[i].op, group[i].ext, 0, I, REG | IMM, 0, 0};
    if (!vex && i < 8) each(&t, false, cases);
    t = (simd_t){"SSE2 integers", group[i].name, 1, P66, group[i].op, group[i].ext, 0, I, REG | IMM | VEX | YMM | NDS, 0, 0};
    each(&t, vex, cases);
  }
}

static void floats(bool vex, u32 cases) {
  static const struct { u8 op; u8 flags; const char *name; } row[] = {
    {0x51, 1, "SQRT"}, {0x58, 0, "ADD"}, {0x59, 0, "MUL"}, {0x5c, 0, "SUB"}, {0x5d, 0, "MIN"}, {0x5e, 0, "DIV"}, {0x5f, 0, "MAX"},
  };
  static const char *const types[4] = {"PS", "PD", "SS", "SD"};
  for (u32 i = 0; i < sizeof row / sizeof *row; i++)
    for (int k = 0; k < 4; k++) {
      char name[40];
      snprintf(name, sizeof name, "%s%s", row[i].name, types[k]);
      simd_t t = {"SSE arithmetic", name, 1, (u8)k, row[i].op, -1, k < 2 ? 16 : k == 2 ? 4 : 8, k & 1 ? D : X,
                  k < 2 ? row[i].flags ? U : A : S, 0, 0};
      each(&t, vex, cases * 2);
    }
  static const struct { u8 op; const char *name; } logic[] = {{0x54, "AND"}, {0x55, "ANDN"}, {0x56, "OR"}, {0x57, "XOR"}};
  for (u32 i = 0; i < 4; i++)
    for (int k = 0; k < 2; k++) {
      char name[40];
      snprintf(name, sizeof name, "%s%s", logic[i].name, types[k]);
      simd_t t = {"SSE arithmetic", name, 1, (u8)k, logic[i].op, -1, 16, I, A, 0, 0};
      each(&t, vex, cases);
    }
  static const struct { u8 op; const char *name; } pairs[] = {{0x7c, "HADD"}, {0x7d, "HSUB"}, {0xd0, "ADDSUB"}};
  for (u32 i = 0; i < 3; i++)
    for (int k = 0; k < 2; k++) {
      char name[40];
      snprintf(name, sizeof name, "%s%s", pairs[i].name, k ? "PD" : "PS");
      simd_t t = {"SSE arithmetic", name, 1, k ? P66 : PF2, pairs[i].op, -1, 16, k ? D : X, A, 0, 0};
      each(&t, vex, cases);
    }
}

// Opcodes with mandatory prefixes that do not exist, and VEX fields that must be what they are not.
static void nothings(bool vex) {
  form(vex ? "AVX" : "SSE moves", "not an instruction");
  CASES(250) {
    simd_t t = {0};
    t.map = 1;
    // No far jumps, no system instructions: rows 5-7 and C-F of the map.
    static const u8 rows[] = {0x10, 0x50, 0x60, 0x70, 0xd0, 0xe0, 0xf0};
    t.op = (u8)(rows[below(sizeof rows)] | below(16));
    if (t.op == 0xff || t.op == 0x18 || (t.op >= 0x19 && t.op <= 0x1f) || t.op == 0x77 || t.op == 0xf7 || (t.op & 0xfe) == 0x52 ||
        (t.op & 0xfe) == 0x78 || t.op == 0x7a || t.op == 0x7b)
      t.op = 0x57;
    t.pp = (u8)below(4);
    t.bytes = 16;
    t.flags = NDS | IMM;
    t.ext = -1;
    one(&t, chance(50), vex, vex && chance(50), chance(50));
    in.immSize = (t.op >= 0x70 && t.op <= 0x73) ? 1 : 0;
    // 128-bit scalar forms with VEX.L = 1 are said to be ignored or undefined (SDM 2 2.3.6.2): not here.
    if (vex && t.pp >= PF3) in.l = false;
  }
}

static void general(void) {
  for (u32 i = 0; i < sizeof table / sizeof *table; i++) {
    const simd_t *t = &table[i];
    if (!(t->flags & GPRS)) continue;
    EACH_WIDE(bits) {
      for (int memory = 0; memory < 2; memory++) {
        if (!memory && t->flags & MEM) continue;
        form(t->group, "%s%d%s", t->name, bits, memory ? " [mem]" : "");
        CASES(70) {
          osize(bits);
          in.p66 = bits != 64 && (bits == 16) != (env->mode == 16);
          if (t->pp) in.rep = t->pp == PF3 ? 0xf3 : 0xf2;
          c.undefFlags = t->undef;
          in.nop = 0;
          in.op[in.nop++] = 0x0f;
          if (t->map == 2) in.op[in.nop++] = 0x38;
          in.op[in.nop++] = t->op;
          in.reg = (u8)reg_any();
          if (memory) rm_mem((u32)bits / 8, 0);
          else rm_reg(reg_any());
        }
      }
    }
  }
}

/// XCR0: what this computer's system has enabled.
static u64 enabled_components(void) {
  u32 low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (u64)high << 32 | low;
}

// XSAVE and relatives: components x87, SSE and AVX, all in use. A place with room for the image, mostly aligned.
static void states(u32 cases) {
  static const struct { const char *name; u8 op, ext; } row[] = {{"XSAVE", 0xae, 4}, {"XSAVEOPT", 0xae, 6}, {"XSAVEC", 0xc7, 4}, {"XRSTOR", 0xae, 5}};
  flavour = I;
  for (u32 i = 0; i < 4; i++) {
    bool restore = i == 3;
    form("XSAVE", "%s", row[i].name);
    CASES(cases) {
      in.op[0] = 0x0f;
      in.op[1] = row[i].op;
      in.nop = 2;
      in.reg = row[i].ext;
      in.avoid = 1 << RAX | 1 << RDX;
      in.image = true;
      in.align = true;
      for (int tries = 0; tries < 50; tries++) {
        rm_mem(64, MEM_NOPATCH | MEM_SAFE);
        int w = window_of(in.linear);
        if (w >= 0 && in.linear - windows[w].base < 0x1c00 && (!(in.linear & 63) || chance(5))) break;
      }
      c.in.gpr[RAX] = (c.in.gpr[RAX] & 0xfffffff0 & ~0xfffffff8) | (restore ? below(4) * 2 : below(8));
      c.in.gpr[RDX] = 0;
      if (!restore) {
        // What XSTATE_BV was before, for the components that are not asked for.
        u64 header[8] = {below(8)};
        if (chance(70)) patch(in.linear + 512, header, 64);
        continue;
      }
      u32 control[2] = {chance(90) ? c.vin.mxcsr ^ 0x6000 : rnd(), 0};
      u64 header[8] = {below(8)};
      bool compact = chance(40);
      // Whether reserved bits of MXCSR are seen before or after registers are loaded from the compacted format differs.
      if (compact) control[0] &= 0xffff;
      if (compact) header[1] = 1ull << 63 | (chance(80) ? 7 : below(8));
      if (chance(6)) header[0] |= 1ull << (8 + 12 * below(5));  // of no component that XCR0 can have
      if (chance(6)) header[1 + below(7)] |= 1ull << below(63);
      // This computer may have components that the machine has not.
      if (compact) header[1] &= ~(enabled_components() & ~7ull);
      patch(in.linear + 24, control, 8);
      patch(in.linear + 512, header, 64);
    }
  }
  form("XSAVE", "XGETBV");
  CASES(6) {
    in.op[0] = 0x0f;
    in.op[1] = 1;
    in.op[2] = 0xd0;
    in.nop = 3;
    c.in.gpr[RCX] = 2 + below(1000);
  }
  form("XSAVE", "XSETBV");
  CASES(6) {
    in.op[0] = 0x0f;
    in.op[1] = 1;
    in.op[2] = 0xd1;
    in.nop = 3;
  }
}

// FXSAVE and FXRSTOR, and what else needs no more than a place in memory: hints touch none, bases of FS and GS are registers.
static void images_and_hints(u32 cases) {
  flavour = I;
  for (int w = 0; w < (env->mode == 64 ? 2 : 1); w++)
    for (int restore = 0; restore < 2; restore++) {
      form("FXSAVE", "%s%s", restore ? "FXRSTOR" : "FXSAVE", w ? "64" : "");
      CASES(cases) {
        in.op[0] = 0x0f;
        in.op[1] = 0xae;
        in.nop = 2;
        in.reg = (u8)restore;
        if (w) in.w = in.rex = true;
        in.align = true;
        for (int tries = 0; tries < 50; tries++) {
          rm_mem(16, MEM_NOPATCH | (in.bold ? 0 : MEM_SAFE));
          if (window_of(in.linear) >= 0 && (!(in.linear & 15) || chance(5))) break;
        }
        // Part of the image may lie beyond the window, or where nothing may be written.
        if (!restore) continue;
        u32 control[2] = {chance(90) ? c.vin.mxcsr ^ 0x6000 : rnd(), 0};
        if (chance(95)) control[0] &= 0xffff;
        if (window_of(in.linear + 24) >= 0) patch(in.linear + 24, control, 8);
      }
    }
  static const struct { const char *name; u8 op, first, count; } hints[] = {
    {"PREFETCH", 0x18, 0, 4}, {"PREFETCHW", 0x0d, 1, 2}, {"NOP r/m", 0x1f, 0, 8}, {"NOP r/m 19", 0x19, 0, 8}};
  for (u32 i = 0; i < 4; i++) {
    form("hints", "%s", hints[i].name);
    CASES(24) {
      opcode(1, hints[i].op);
      in.reg = (u8)(hints[i].first + below(hints[i].count));
      rm_mem(1, MEM_NOPATCH);
    }
  }
  if (env->mode != 64) return;
  static const char *const names[4] = {"RDFSBASE", "RDGSBASE", "WRFSBASE", "WRGSBASE"};
  for (u32 i = 0; i < 4; i++) {
    form("FSGSBASE", "%s", names[i]);
    CASES(24) {
      opcode(1, 0xae);
      in.rep = 0xf3;
      in.reg = (u8)i;
      in.w = in.rex && chance(60);
      rm_reg(reg_any());
    }
  }
}

// Approximations: the tables are Intel's.
static void approximations(bool vex, u32 cases) {
  static const simd_t row[] = {
    {"SSE arithmetic", "RSQRTPS", 1, NP, 0x52, -1, 16, X, U, 0, 0},
    {"SSE arithmetic", "RSQRTSS", 1, PF3, 0x52, -1, 4, X, S, 0, 0},
    {"SSE arithmetic", "RCPPS", 1, NP, 0x53, -1, 16, X, U, 0, 0},
    {"SSE arithmetic", "RCPSS", 1, PF3, 0x53, -1, 4, X, S, 0, 0},
  };
  for (u32 i = 0; intel && i < sizeof row / sizeof *row; i++) each(&row[i], vex, cases);
}

void forms_sse(void) {
  u32 cases = env->mode == 64 ? 64 : 8;
  for (u32 i = 0; i < sizeof table / sizeof *table; i++)
    if (!(table[i].flags & GPRS)) each(&table[i], false, cases);
  general();
  integers(false, cases);
  floats(false, cases);
  nothings(false);
  states(cases);
  approximations(false, cases * 2);
  if (intel) images_and_hints(cases);
}

// Product and addend nearly cancel, in some of the cases that are unusual anyway.
static void cancelling(void) {
  if (!hot || chance(50)) return;
  int order = in.op[0] >> 4;  // 9: 132, A: 213, B: 231
  u32 *first = c.vin.ymm[in.reg], *second = c.vin.ymm[in.vvvv], third[8];
  for (int j = 0; j < 8; j++) third[j] = in.memory ? (u32)peek(in.linear + 4 * (u64)j, 32) : c.vin.ymm[in.rm][j];
  if (order == 10 && in.memory) return;
  u32 *a = order == 9 ? first : second, *b = order == 10 ? first : third;
  u32 *sum = order == 9 ? second : order == 10 ? c.vin.ymm[in.rm] : first;
  for (int j = 0; j < 8; j += 2) {
    if (in.w) {
      double x, y;
      memcpy(&x, a + j, 8), memcpy(&y, b + j, 8);
      x *= y;
      u64 bits;
      memcpy(&bits, &x, 8);
      bits = (bits ^ (u64)below(2) << 63) + below(5) - 2;
      memcpy(sum + j, &bits, 8);
      continue;
    }
    for (int k = j; k < j + 2; k++) {
      float x, y;
      memcpy(&x, a + k, 4), memcpy(&y, b + k, 4);
      x *= y;
      u32 bits;
      memcpy(&bits, &x, 4);
      sum[k] = (bits ^ below(2) << 31) + below(5) - 2;
    }
  }
}

// FMA: packed 96-98, 9A, 9C, 9E and so on, scalar 99, 9B, 9D, 9F.
static void fused(u32 cases) {
  static const char *const order[3] = {"132", "213", "231"};
  static const char *const kind[10] = {"ADDSUB", "SUBADD", "ADD P", "ADD S", "SUB P", "SUB S", "NADD P", "NADD S", "NSUB P", "NSUB S"};
  for (int o = 0; o < 3; o++)
    for (int k = 0; k < 10; k++)
      for (int w = 0; w < 2; w++) {
        bool scalar = k >= 3 && k & 1;
        char name[40];
        snprintf(name, sizeof name, "VFM%s%s%c", order[o], kind[k], w ? 'D' : 'S');
        simd_t t = {"FMA", name, 2, P66, (u8)(0x96 + 0x10 * o + k), -1, scalar ? w ? 8 : 4 : 16, w ? D : X,
                    V | NDS | (scalar ? 0 : YMM | HALF) | (w ? W1 : 0), 0, cancelling};
        each(&t, true, cases);
      }
}

// Gathers: small indices around an address in a window, the mask as it comes.
static void gathers(u32 cases) {
  static const char *const names[4] = {"VPGATHERD", "VPGATHERQ", "VGATHERDP", "VGATHERQP"};
  flavour = I;
  for (int k = 0; k < 4; k++)
    for (int w = 0; w < 2; w++)
      for (int l = 0; l < 2; l++) {
        form("AVX2", "%s%s %s", names[k], w ? "(64)" : "(32)", l ? "256" : "128");
        CASES(cases) {
          simd_t t = {0};
          t.map = 2;
          t.pp = P66;
          t.op = (u8)(0x90 + k);
          t.ext = -1;
          t.flags = NDS;
          t.bytes = 8;
          one(&t, true, true, l, w);
          in.intelFaults = true;
          if (chance(85)) {
            // base + vector index
            u64 ea;
            int base = in.sib ? in.base : in.rm;
            (void)base;
            in.sib = true;
            in.ripRelative = false;
            in.asize = default_asize();
            in.p67 = false;
            in.seg = 0;
            in.segIndex = DS;
            in.rm = 4;
            in.mod = 1;
            in.base = RBX;
            in.index = (u8)below(env->mode == 64 ? 16 : 8);
            in.scale = (u8)below(4);
            in.dispSize = 1;
            in.disp = (int8_t)rnd();
            u64 at = windows[W_2G].base + 0x800 + below(0x1000);
            // Some elements beyond one end of the window.
            if (in.bold) at = windows[W_2G].base + (chance(50) ? below(0x280) : 0x2d80 + below(0x280));
            if (!ea_of(at, DS, in.asize, &ea)) abort();
            c.in.gpr[RBX] = ea - (u64)in.disp;
            if (env->mode != 64) c.in.gpr[RBX] = (u32)c.in.gpr[RBX];
            for (int j = 0; j < 8; j++) {
              int small_ = (int)below(220) - 100;
              if (chance(2)) small_ = 0x4000;
              c.vin.ymm[in.index][j] = k & 1 && j & 1 ? (small_ = (int)c.vin.ymm[in.index][j - 1], small_ < 0 ? ~0u : 0) : (u32)small_;
            }
          } else if (in.asize == 16) in.asize = 16;
          c.patches = 0;
        }
      }
}

void forms_avx(void) {
  u32 cases = env->mode == 64 ? 24 : 6;
  for (u32 i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].flags & VEX) each(&table[i], true, cases);
  for (u32 i = 0; i < sizeof vexTable / sizeof *vexTable; i++) each(&vexTable[i], true, cases);
  integers(true, cases);
  floats(true, cases);
  fused(cases / 2);
  gathers(cases);
  nothings(true);
  approximations(true, cases * 2);
}
