// Building one case: prefixes, ModRM, addresses that land where the case wants them, immediates, code placement.
#ifndef BUILD_H
#define BUILD_H
#include "vectors.h"

typedef struct {
  u8 prefix[24];        // extra legacy prefixes, before all others
  int prefixes;
  u8 seg, rep;          // segment override, F2/F3 (0 = none)
  bool p66, p67, lock;
  bool rex;             // a REX prefix is present (64-bit mode): R8-R15 and SPL..DIL can be named
  bool w;
  u8 op[4];
  int nop;
  bool modrm;
  u8 mod, reg, rm;      // reg and rm carry their REX bit as bit 3
  bool sib;
  u8 scale, index, base;
  int dispSize;
  i64 disp;
  bool ripRelative;
  int immSize;
  u64 imm;
  int immSize2;         // ENTER, far pointers: a second immediate
  u64 imm2;
  bool vex, l;          // VEX prefix with L, vvvv; map and pp stand for the opcode bytes and mandatory prefix
  u8 vvvv, map, pp;
  bool align;           // the memory operand is mostly aligned
  bool image;           // the operand is an XSAVE image; AMD's bit 17 is taken out of its MXCSR_MASK
  int asize;            // address size in bits
  int segIndex;         // the segment the memory operand lies in
  u32 avoid;            // registers that must not become base or index
  u64 linear, ea;       // where the memory operand lies
  int bits;             // operand size
  bool memory;
  bool atEnd;           // the code ends where its window ends
  bool intelFaults;     // what is left behind when it faults is Intel's; not recorded on other processors
  bool vagueFaults;     // a page fault has an address that no rule explains: left out
  bool intelNans;       // which NaN comes out is Intel's; likewise
  bool wholeFaults;     // leave out a case that faults after it has written (the manual lets it, others do not)
  bool bold;            // memory that may not be touched is chosen more often
  int truncate;         // bytes of the instruction that lie beyond the window
} insn_t;

extern insn_t in;

enum { MEM_SAFE = 1, MEM_STACK = 2, MEM_NOPATCH = 4, MEM_ADDRESS_ONLY = 8 };

bool begin(void);                    // a fresh case of the current form; always true, so that it can stand in a for
void finish(void);                   // encode, run, record
void conclude(void);                 // run and record what is encoded
void form(const char *group, const char *format, ...) __attribute__((format(printf, 2, 3)));
u32 scaled(u32 n);                   // number of cases after the scale factor
#define CASES(n) for (u32 k_ = scaled(n); k_ && begin(); finish(), k_--)

void opcode(int map, u8 op);         // map 0: one byte, 1: 0F xx
void osize(int bits);                // operand size by 66h and REX.W where the default is 16/32
void osize_stack(int bits);          // where the default in 64-bit mode is 64
void asize(int bits);
int reg_any(void);
void rm_reg(int reg);
void rm_mem(u32 bytes, int flags);
u64 place(int window, u32 bytes, int flags);
bool ea_of(u64 linear, int seg, int asizeBits, u64 *ea);
int default_asize(void);
int other_asize(void);

void patch(u64 linear, const void *bytes, u32 len);
void patch_value(u64 linear, u64 v, int bits);
u64 peek(u64 linear, int bits);      // initial memory, zero where nothing is mapped
u64 get_reg(int reg, int bits);      // initial register as the encoding names it (AH..BH included)
void set_reg(int reg, int bits, u64 v);
u64 get_rm(void);
void imm(int bytes, u64 v);
void set_rsp(u64 linear);            // the stack pointer, given where it points

// heat.c
extern bool hot;                     // this case is of a kind that a uniform draw reaches seldom
void heat_begin(void);
void heat_finish(void);
void hot_words(u32 *out, u32 words); // unusual values of the current flavour
#endif
