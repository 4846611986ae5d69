// Runs one instruction on the processor: maps the windows, loads every register, jumps, and catches the exception
// that ends the case (an INT3 behind the instruction when nothing else does).
#define _GNU_SOURCE
#include "vectors.h"
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

const window_t windows[WINDOWS] = {
  [W_LOW] = {"low", 0x7000, "wwr"},
  [W_2G] = {"2g", 0x20001000, "wwr"},
  [W_4G] = {"4g", 0xb0001000, "wwr"},
  [W_64] = {"64", 0x5b2050001000, "wwr"},
  [W_STACK] = {"stack", 0x30001000, "wwr"},
  [W_CODE] = {"code", 0x10000000, "xx"},
  [W_CODE_LOW] = {"code-low", 0x3000, "xx"},
  [W_CODE_64] = {"code-64", 0x5b2040000000, "xx"},
};
u8 *windowAlias[WINDOWS], *windowBack[WINDOWS];

#define FS32_BASE 0x01000000
#define GS32_BASE 0x87654000
#define FLAT 0xffffffffu

const env_t environments[3] = {
  {"64-bit mode", 64, {0x2b, 0x33, 0x2b, 0x2b, 0, 0}, 0x1000000, 0x123450000000,
   {0, 0, 0, 0, 0x1000000, 0x123450000000}, {FLAT, FLAT, FLAT, FLAT, FLAT, FLAT}},
  {"compatibility mode, 32-bit code segment", 32, {0x2b, 0x23, 0x2b, 0x2b, 0x07, 0x0f}, 0, 0,
   {0, 0, 0, 0, FS32_BASE, GS32_BASE}, {FLAT, FLAT, FLAT, FLAT, FLAT, FLAT}},
  {"compatibility mode, 16-bit code and stack segments", 16, {0x2b, 0x17, 0x1f, 0x2b, 0x07, 0x27}, 0, 0,
   {0, 0x10000000, 0x30000000, 0, FS32_BASE, 0xb0000f00}, {FLAT, 0xffff, 0xffff, FLAT, FLAT, 0xffff}},
};
const env_t *env = environments;
u64 ldt[LDT_USED];
vcase_t c;
u32 seed;
bool intel;
bool vectorFile;
bool x87Recorded;

int window_of(u64 linear) {
  for (int w = 0; w < WINDOWS; w++)
    if (linear - windows[w].base < window_size(w)) return w;
  return -1;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

// --- what enter.S shares -------------------------------------------------------------------------------------------

typedef struct {
  u64 gpr[16];
  u64 rflags;
  u64 fsBase, gsBase;
  u64 jump;             // where to: offset, then selector (m16:32), or a plain 64-bit address
  u64 seg[6];
  u64 farJump;          // 1: far jump through `jump` (offset below 4 GiB, then selector)
  u64 hostRsp, hostFsBase;
  u64 outDs, outEs;
  void (*enter)(void);  // enter_near or enter_far
  u64 outFs, outGs;
} shared_t;

// XSAVE image in the standard format (SDM 1 13.4), loaded before the guest's general registers.
extern u8 guestState[4096];
u8 guestState[4096] __attribute__((aligned(64)));
extern u32 guestComponents;
u32 guestComponents;
extern shared_t guest;
shared_t guest __attribute__((aligned(64)));
void enter_guest(void);
void enter_near(void);
void enter_far(void);
void signal_entry(int, siginfo_t *, void *);

enum { X_FCW = 0, X_FTW = 4, X_MXCSR = 24, X_ST = 32, X_XMM = 160, X_HEADER = 512, X_YMM = 576 };

static void state_load(const vec_t *v) {
  u8 *s = guestState;
  memset(s, 0, sizeof guestState);
  memcpy(s + X_FCW, &(u16){0x37f}, 2);
  s[X_FTW] = v->ftw;
  memcpy(s + X_MXCSR, &v->mxcsr, 4);
  for (int i = 0; i < 8; i++) {
    memcpy(s + X_ST + 16 * i, v->mm[i], 8);
    memset(s + X_ST + 16 * i + 8, 0xff, 2);
  }
  for (int i = 0; i < 16; i++) {
    memcpy(s + X_XMM + 16 * i, v->ymm[i], 16);
    memcpy(s + X_YMM + 16 * i, v->ymm[i] + 4, 16);
  }
  s[X_HEADER] = 7;
}

static void state_store(const u8 *s, vec_t *v) {
  u8 there = s[X_HEADER];
  memset(v, 0, sizeof *v);
  memcpy(&v->mxcsr, s + X_MXCSR, 4);
  v->ftw = s[X_FTW];
  u32 top = s[3] >> 3 & 7;  // the image has ST(i), MM registers are the physical ones
  for (u32 i = 0; i < 8; i++) memcpy(v->mm[(top + i) & 7], s + X_ST + 16 * i, 8);
  for (int i = 0; i < 16; i++) {
    if (there & 2) memcpy(v->ymm[i], s + X_XMM + 16 * i, 16);
    if (there & 4) memcpy(v->ymm[i] + 4, s + X_YMM + 16 * i, 16);
  }
}
_Static_assert(offsetof(shared_t, rflags) == 128 && offsetof(shared_t, seg) == 160 && offsetof(shared_t, outGs) == 264, "enter.S");

// Called by signal_entry with the flags, FS base and segments of the host back in place.
void signal_taken(int sig, siginfo_t *info, void *uc) {
  (void)info;
  const greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;
  static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  if (sig == SIGVTALRM) {
    c.event.vector = ENDLESS;
    return;
  }
  for (int i = 0; i < 16; i++) c.out.gpr[i] = (u64)g[order[i]];
  if (env->mode != 64)
    for (int i = 0; i < 16; i++) c.out.gpr[i] = i < 8 ? (u32)c.out.gpr[i] : 0;
  if (vectorFile) state_store((const u8 *)((ucontext_t *)uc)->uc_mcontext.fpregs, &c.vout);
  c.out.rflags = (u64)g[REG_EFL];
  c.out.rip = (u64)g[REG_RIP];
  u64 cgfs = (u64)g[REG_CSGSFS];
  c.out.seg[CS] = (u16)cgfs;
  c.out.seg[SS] = (u16)(cgfs >> 48);
  c.out.seg[DS] = (u16)guest.outDs;
  c.out.seg[ES] = (u16)guest.outEs;
  c.out.seg[GS] = (u16)guest.outGs;
  c.out.seg[FS] = (u16)guest.outFs;
  if (x87Recorded) {
    const u8 *fx = (const u8 *)((ucontext_t *)uc)->uc_mcontext.fpregs;
    x87_t *x = &c.fpOut;
    memcpy(&x->fcw, fx, 2);
    memcpy(&x->fsw, fx + 2, 2);
    x->tags = fx[4];
    for (u32 i = 0; i < 8; i++) {
      u32 r = ((x->fsw >> 11) + i) & 7;
      memcpy(&x->sig[r], fx + 32 + 16 * i, 8);
      memcpy(&x->se[r], fx + 40 + 16 * i, 2);
    }
  }
  c.event.vector = (u8)g[REG_TRAPNO];
  c.event.err = (u64)g[REG_ERR];
  c.event.cr2 = c.event.vector == 14 ? (u64)g[REG_CR2] : 0;
}

static void ldt_set(unsigned index, u32 base, u32 limit, unsigned bits32, unsigned contents, bool readOnly, bool pages,
                    bool notPresent) {
  struct user_desc d = {.entry_number = index, .base_addr = base, .limit = limit, .seg_32bit = bits32,
                        .contents = contents, .read_exec_only = readOnly, .limit_in_pages = pages,
                        .seg_not_present = notPresent};
  if (syscall(SYS_modify_ldt, 0x11, &d, sizeof d)) die("modify_ldt");
}

void machine_setup(void) {
  u32 a, b, c_, d;
  __cpuid(0, a, b, c_, d);
  intel = b == signature_INTEL_ebx;
  u32 state = 0x52494e47;  // the background: one stream through all windows in order
  int fd = memfd_create("windows", 0);
  if (fd < 0 || ftruncate(fd, WINDOWS * MAX_WINDOW)) die("memfd_create");
  for (int w = 0; w < WINDOWS; w++) {
    u32 size = window_size(w);
    off_t at = w * MAX_WINDOW;
    windowAlias[w] = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at);
    windowBack[w] = malloc(size);
    if (windowAlias[w] == MAP_FAILED) die("mmap");
    for (u32 i = 0; i < size; i += 4) {
      u32 v = windows[w].pages[0] == 'x' ? 0xcccccccc : background32(&state);
      memcpy(windowBack[w] + i, &v, 4);
    }
    memcpy(windowAlias[w], windowBack[w], size);
    for (u32 p = 0; p < size / PAGE; p++) {
      char kind = windows[w].pages[p];
      int prot = kind == 'w' ? PROT_READ | PROT_WRITE : kind == 'r' ? PROT_READ : PROT_READ | PROT_EXEC;
      u8 *want = (u8 *)(windows[w].base + p * PAGE);
      u8 *got = mmap(want, PAGE, prot, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, fd, at + p * PAGE);
      if (got != want) {
        fprintf(stderr, "cannot map %p (window %s); below 64 KiB this needs root or vm.mmap_min_addr <= 4096\n",
                (void *)want, windows[w].name);
        die("mmap");
      }
      (void)*(volatile u8 *)want;
    }
  }
  mlockall(MCL_CURRENT);

  ldt_set(0, FS32_BASE, 0xfffff, 1, 0, 0, 1, 0);
  ldt_set(1, GS32_BASE, 0xfffff, 1, 0, 0, 1, 0);
  ldt_set(2, 0x10000000, 0xffff, 0, 2, 0, 0, 0);
  ldt_set(3, 0x30000000, 0xffff, 0, 0, 0, 0, 0);
  ldt_set(4, 0xb0000f00, 0xffff, 0, 0, 0, 0, 0);
  // The segments that the limit and type checks are made of: all lie on the window "2g".
  ldt_set(5, 0x20001000, 0x13ff, 1, 0, 0, 0, 0);   // data, ends inside the window
  ldt_set(6, 0x20001000, 0x1fff, 1, 0, 1, 0, 0);   // data, read only
  ldt_set(7, 0x20001000, 0x0bff, 1, 1, 0, 0, 0);   // data, expand down, B = 1
  ldt_set(8, 0x20001000, 0x0bff, 0, 1, 0, 0, 0);   // data, expand down, B = 0
  ldt_set(9, 0x20001000, 0x1fff, 1, 0, 0, 0, 1);   // data, not present
  ldt_set(10, 0x10000000, 0x1fff, 1, 2, 1, 0, 0);  // code, execute only
  ldt_set(11, 0x10000000, 0x1fff, 1, 2, 0, 0, 1);  // code, not present
  ldt_set(12, 0x10000000, 0x0fff, 1, 2, 0, 0, 0);  // code, ends inside the window
  ldt_set(13, 0x20001000, 0x0001, 1, 0, 0, 1, 0);  // data, limit in pages
  if (syscall(SYS_modify_ldt, 0, ldt, sizeof ldt) < 0) die("modify_ldt");

  // Beyond what 32-bit code can name: a case whose ESP happened to lie in this stack looked to the kernel as if it ran on it already
  // (sigaltstack(2)), and the frame went below ESP, out of the stack.
  void *stack = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (stack == MAP_FAILED || (u64)stack >> 32 == 0) die("mmap");
  stack_t ss = {.ss_sp = stack, .ss_size = 65536};
  if (sigaltstack(&ss, 0)) die("sigaltstack");
  static const int taken[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGVTALRM};
  for (unsigned i = 0; i < sizeof taken / sizeof *taken; i++) {
    struct sigaction sa = {.sa_sigaction = signal_entry, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaction(taken[i], &sa, 0);
  }
  if (syscall(SYS_arch_prctl, ARCH_GET_FS, &guest.hostFsBase)) die("arch_prctl");
}

void machine_env(const env_t *e) { env = e; }

static void poke(u64 linear, const u8 *bytes, u32 len) {
  for (u32 i = 0; i < len; i++) {
    int w = window_of(linear + i);
    if (w >= 0) windowAlias[w][linear + i - windows[w].base] = bytes[i];
  }
}

void run_case(void) {
  u64 code = windows[c.codeWindow].base + c.codeOffset;
  for (int i = 0; i < c.patches; i++) poke(c.patch[i].linear, c.patch[i].bytes, c.patch[i].len);
  poke(code, c.code, (u32)c.len);
  if (vectorFile) {
    guestComponents = 7;
    state_load(&c.vin);
  }
  if (x87Recorded) {
    const x87_t *x = &c.fpIn;
    guestComponents = 1;
    guestState[X_HEADER] = 1;
    memcpy(guestState, &x->fcw, 2);
    memcpy(guestState + 2, &x->fsw, 2);
    guestState[4] = x->tags;
    for (u32 i = 0; i < 8; i++) {
      u32 r = ((x->fsw >> 11) + i) & 7;
      memcpy(guestState + 32 + 16 * i, &x->sig[r], 8);
      memcpy(guestState + 40 + 16 * i, &x->se[r], 2);
    }
  }
  memcpy(guest.gpr, c.in.gpr, sizeof guest.gpr);
  guest.rflags = c.in.rflags;
  guest.fsBase = env->fsBase;
  guest.gsBase = env->gsBase;
  for (int i = 0; i < 6; i++) guest.seg[i] = c.in.seg[i];
  guest.farJump = env->mode != 64;
  guest.jump = guest.farJump ? (u64)c.in.seg[CS] << 32 | (u32)c.in.rip : c.in.rip;
  guest.enter = guest.farJump ? enter_far : enter_near;
  // Of the processor's time: a busy kernel lets a case wait. A hypervisor that throttles split locks takes a part of a second
  // for each, which looks like the program's own time.
  setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value.tv_sec = 4}, 0);
  enter_guest();
  setitimer(ITIMER_VIRTUAL, &(struct itimerval){0}, 0);
  extern const u8 __executable_start, etext;
  if (c.out.seg[CS] == 0x33 && c.out.rip - (u64)&__executable_start < (u64)(&etext - &__executable_start)) {
    fprintf(stderr, "exception %u (error %llx) in the generator itself, at %llx\n", c.event.vector,
            (unsigned long long)c.event.err, (unsigned long long)c.out.rip);
    exit(1);
  }
}

void restore_windows(void) {
  for (int w = 0; w < WINDOWS; w++) {
    u32 size = window_size(w);
    if (memcmp(windowAlias[w], windowBack[w], size)) memcpy(windowAlias[w], windowBack[w], size);
  }
}
