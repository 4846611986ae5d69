// Shared types of the vector generator: environments, windows, one case and what the processor made of it.
#ifndef VECTORS_H
#define VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
enum { ES, CS, SS, DS, FS, GS };
enum { CF = 0x001, PF = 0x004, AF = 0x010, ZF = 0x040, SF = 0x080, TF = 0x100, DF = 0x400, OF = 0x800, NT = 0x4000,
       RF = 0x10000, AC = 0x40000, ID = 0x200000 };
#define STATUS (CF | PF | AF | ZF | SF | OF)

// --- windows: the memory that a guest instruction can reach; everything else around them is not mapped -------------

enum { W_LOW, W_2G, W_4G, W_64, W_STACK, W_CODE, W_CODE_LOW, W_CODE_64, WINDOWS };
#define PAGE 0x1000u
#define MAX_WINDOW 0x3000u

typedef struct {
  const char *name;
  u64 base;
  const char *pages;  // one letter a page: w = read and write, r = read only, x = execute and read
} window_t;

extern const window_t windows[WINDOWS];
extern u8 *windowAlias[WINDOWS];   // the same frames, always writable by the generator
extern u8 *windowBack[WINDOWS];    // the background every case starts from

static inline u32 window_size(int w) { return (u32)strlen(windows[w].pages) * PAGE; }
int window_of(u64 linear);         // index, or -1

// --- environments: the mode and the segments a file of vectors is recorded in --------------------------------------

typedef struct {
  const char *name;
  int mode;             // 16, 32 or 64
  u16 sel[6];           // initial selectors, by ES..GS
  u64 fsBase, gsBase;   // 64-bit mode only (WRFSBASE/WRGSBASE)
  u64 segBase[6];       // what the selectors amount to
  u32 segLimit[6];
} env_t;

extern const env_t environments[3];
extern const env_t *env;

#define LDT_USED 16
extern u64 ldt[LDT_USED];       // raw descriptors as the processor sees them

// --- a case ----------------------------------------------------------------------------------------------------

#define MAX_PATCHES 8
typedef struct {
  u64 linear;
  u8 len;
  u8 bytes[64];
} patch_t;

typedef struct {
  u64 gpr[16];
  u64 rflags;
  u64 rip;        // offset in CS
  u16 seg[6];
  u16 cs, ss;
} regs_t;

enum { ENDLESS = 0xff };  // an event's vector: the case did not end, as a random jump went to itself; not recorded

typedef struct {
  u8 vector;
  u64 err, cr2;
} event_t;

// Vector registers and MXCSR; MMX registers and the abridged tag word of the x87 unit.
typedef struct {
  u32 ymm[16][8];
  u32 mm[8][2];
  u32 mxcsr;
  u8 ftw;
} vec_t;

// What the lanes of the vector registers hold.
enum { V_INTEGER, V_SINGLE, V_DOUBLE, V_SMALL, V_TEXT };
extern bool vectorFile;             // the file holds vector state
extern int flavour;                 // of the current form

// The x87 by physical registers; tags has a bit per register, 1 when in use.
typedef struct {
  u16 fcw, fsw;
  u8 tags;
  u16 se[8];
  u64 sig[8];
} x87_t;

typedef struct {
  u64 linear;
  u8 len;
} hole_t;

typedef struct {
  regs_t in, out;
  vec_t vin, vout;
  event_t event;
  int codeWindow;
  u32 codeOffset;
  u8 code[24];
  int len;
  int patches;
  patch_t patch[MAX_PATCHES];
  u32 undefFlags;     // flags the manual leaves undefined: not compared
  u32 undefGprs;      // registers the manual leaves undefined: not compared
  u64 seed;
  x87_t fpIn, fpOut;  // with x87Recorded
  u16 undefFsw;       // bits of the status word that are not compared
  bool inexact;       // registers may differ by one unit in the last place
  int holes;          // memory that is not compared
  hole_t hole[6];
} vcase_t;

extern u32 seed;                    // of this recording; 0 is the committed one
extern bool intel;                  // the processor is Intel's: what it does where processors differ is recorded

extern bool x87Recorded;  // the file holds the x87 before and after every case

extern vcase_t c;

// --- prng.c --------------------------------------------------------------------------------------------------------

extern const u64 corners[32];
void vector_state(u32 formIndex, u32 caseIndex, int flavour, vec_t *v);
void vector_words(int flavour, u32 *state, u32 *out);
void base_state(u32 formIndex, u32 caseIndex, regs_t *r);   // documented in README.md; the reader has the same
void base_x87(u32 formIndex, u32 caseIndex, x87_t *x);
void x87_value(u32 kind, u32 lo, u32 hi, u16 *se, u64 *sig);
u32 background32(u32 *state);
u32 rnd(void);                       // the generator's own choices; never needed by a reader
void rnd_seed(u32 a, u32 b);
static inline u32 below(u32 n) { return rnd() % n; }
static inline bool chance(u32 percent) { return rnd() % 100 < percent; }
static inline u64 rnd64(void) { u64 h = rnd(); return h << 32 | rnd(); }
u64 value(void);                     // half random, half a corner or a small number

static inline u64 mask_of(int bits) { return bits >= 64 ? ~0ull : (1ull << bits) - 1; }
static inline int msb_of(u64 v, int bits) { return (int)(v >> (bits - 1) & 1); }

// --- run.c ---------------------------------------------------------------------------------------------------------

void machine_setup(void);
void machine_env(const env_t *e);
void run_case(void);                 // fills c.out and c.event; leaves the changed windows for the writer
void restore_windows(void);

// --- record.c ------------------------------------------------------------------------------------------------------

void record_form(const char *group, const char *name);   // cases that follow belong to this form
void record_case(void);
bool memory_changed(void);           // by the instruction, against background and patches
void record_finish(const char *path);
u32 recorded(void);

#endif
