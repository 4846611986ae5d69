// Instructions with the common operand encodings, driven by a table: every size, register and memory, and LOCK.
#ifndef GENERIC_H
#define GENERIC_H
#include "forms.h"

typedef enum { RM_R, R_RM, ACC_I, RM_I, RM_I8, RM, RM_1, RM_CL, RM_IB, R_RM_I, R_RM_I8, OPR, OPR_I } encoding_t;

enum { LOCKABLE = 1, REG_ONLY = 2, MEM_ONLY = 4, NOT64 = 8, NO8 = 16, ONLY8 = 32 };

typedef struct {
  const char *name;
  int map;
  u8 op;                // of the 8-bit form when there is one (the wider form is op | 1), else of the only form
  int ext;              // ModRM.reg, or -1
  encoding_t enc;
  u32 flags, undef;     // undefined status flags
  u32 avoid;            // registers with a role: neither base nor index
  void (*hook)(void);   // after the operands, before the encoding
} generic_t;

void generic(const generic_t *g, u32 cases);
#endif
