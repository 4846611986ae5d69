#ifndef FORMS_H
#define FORMS_H
#include "build.h"

static const char *const cc[16] = {"O", "NO", "B", "AE", "E", "NE", "BE", "A", "S", "NS", "P", "NP", "L", "GE", "LE", "G"};
static const int sizes[4] = {8, 16, 32, 64};
#define EACH_SIZE(bits) for (int i_ = 0, bits; i_ < (env->mode == 64 ? 4 : 3) && (bits = sizes[i_], 1); i_++)
#define EACH_WIDE(bits) for (int i_ = 1, bits; i_ < (env->mode == 64 ? 4 : 3) && (bits = sizes[i_], 1); i_++)

static inline int imm_bytes(int bits) { return bits == 8 ? 1 : bits == 16 ? 2 : 4; }

void forms_sse(void);          // MMX, SSE to SSE4.2, and what else 64-bit user space expects
void forms_avx(void);          // VEX-encoded
void forms_arithmetic(void);   // ADD..CMP, TEST, INC/DEC, NOT/NEG, MUL/DIV, BCD
void forms_shift(void);
void forms_bit(void);          // BT.., BSF/BSR, BSWAP
void forms_move(void);         // MOV.., XCHG, XADD, CMPXCHG.., LEA, CMOVcc, SETcc, conversions, flags
void forms_stack(void);
void forms_control(void);
void forms_string(void);
void forms_fault(void);        // LOCK rules, undefined opcodes, privilege, alignment, instruction length
void forms_x87(void);          // a set of its own: x87Recorded
void forms_pairs(void);        // two places in memory or more, either of which may fault
void strings_at_risk(void);
void forms_segment(void);      // segment registers, descriptors, far transfers
void replay(const char *path, const char *set);  // cases given in full
#endif
