// Writes the file of vectors: a JSON header that lists environments, windows and forms, then one compact record a case.
// The format is described in ../README.md.
#include "vectors.h"

typedef struct {
  u8 *data;
  size_t len, room;
} buffer_t;

static buffer_t body, forms;
static u32 formCount, caseCount, formCases;
static size_t formStart;
static char lastForm[160], lastGroup[64];
static int lastFlavour;
int flavour;

static void put(buffer_t *b, const void *p, size_t n) {
  if (b->len + n > b->room) {
    b->room = (b->len + n) * 2 + 65536;
    b->data = realloc(b->data, b->room);
    if (!b->data) abort();
  }
  memcpy(b->data + b->len, p, n);
  b->len += n;
}
static void put8(u8 v) { put(&body, &v, 1); }
static void put16(u16 v) { put(&body, &v, 2); }
static void putVarint(u64 v) {
  for (; v > 127; v >>= 7) put8((u8)v | 128);
  put8((u8)v);
}
// A 64-bit value: count of significant bytes, then those bytes.
static void putValue(u64 v) {
  u8 n = 0;
  while (n < 8 && v >> (8 * n)) n++;
  put8(n);
  put(&body, &v, n);
}

static void closeForm(void) {
  if (!formCount) return;
  char line[256];
  int n = snprintf(line, sizeof line, "%s{\"group\":\"%s\",\"name\":\"%s\",\"cases\":%u,\"bytes\":%zu", formCount > 1 ? ",\n" : "",
                   lastGroup, lastForm, formCases, body.len - formStart);
  if (vectorFile) n += snprintf(line + n, sizeof line - (size_t)n, ",\"flavour\":%d", lastFlavour);
  n += snprintf(line + n, sizeof line - (size_t)n, "}");
  put(&forms, line, (size_t)n);
}

void record_form(const char *group, const char *name) {
  closeForm();
  snprintf(lastGroup, sizeof lastGroup, "%s", group);
  snprintf(lastForm, sizeof lastForm, "%s", name);
  lastFlavour = flavour;
  formCount++;
  formCases = 0;
  formStart = body.len;
}

u32 recorded(void) { return caseCount; }

// Bits of the record's first byte.
enum { H_SET = 1, H_PATCH = 2, H_EVENT = 4, H_GPR = 8, H_MEMORY = 16, H_UNDEF_FLAGS = 32, H_UNDEF_GPR = 64, H_SEGMENTS = 128 };

typedef struct {
  u8 window;
  u16 offset;
  u8 len;
  const u8 *bytes;
} run_t;

// Memory that the instruction changed: compared with the background plus the patches.
static int changes(run_t *runs, int room) {
  static u8 before[MAX_WINDOW];
  int n = 0;
  for (int w = 0; w < WINDOWS; w++) {
    u32 size = window_size(w);
    const u8 *now = windowAlias[w];
    if (windows[w].pages[0] == 'x') continue;
    bool patched = false;
    for (int p = 0; p < c.patches; p++) patched |= c.patch[p].linear - windows[w].base < size;
    if (!patched && !memcmp(windowBack[w], now, size)) continue;
    memcpy(before, windowBack[w], size);
    for (int p = 0; p < c.patches; p++)
      for (u32 i = 0; i < c.patch[p].len; i++)
        if (c.patch[p].linear + i - windows[w].base < size)
          before[c.patch[p].linear + i - windows[w].base] = c.patch[p].bytes[i];
    if (!memcmp(before, now, size)) continue;
    for (u32 i = 0; i < size; i++) {
      if (before[i] == now[i]) continue;
      u32 end = i + 1;
      for (u32 j = i + 1; j < size && j - end < 3 && j - i < 255; j++)
        if (before[j] != now[j]) end = j + 1;
      if (n == room) {
        fprintf(stderr, "%s: too many changed places\n", lastForm);
        exit(1);
      }
      runs[n++] = (run_t){(u8)w, (u16)i, (u8)(end - i), now + i};
      i = end - 1;
    }
  }
  return n;
}

bool memory_changed(void) {
  static run_t runs[256];
  return changes(runs, 256) > 0;
}

// The x87 part of a record, see ../README.md.
enum { X_CONTROL = 1, X_REGISTERS = 2, X_FCW = 4, X_TAGS = 8, X_CHANGED = 16, X_UNDEF = 32, X_INEXACT = 64, X_HOLES = 128 };

static void put_registers(const x87_t *x, u8 mask) {
  put8(mask);
  for (int i = 0; i < 8; i++) {
    if (!(mask >> i & 1)) continue;
    put16(x->se[i]);
    put(&body, &x->sig[i], 8);
  }
}

static void record_x87(void) {
  const x87_t *in = &c.fpIn, *out = &c.fpOut;
  x87_t base;
  base_x87(formCount - 1, formCases, &base);
  u8 set = 0, changed = 0, head = 0;
  for (int i = 0; i < 8; i++) {
    if (base.se[i] != in->se[i] || base.sig[i] != in->sig[i]) set |= (u8)(1 << i);
    if (out->se[i] != in->se[i] || out->sig[i] != in->sig[i]) changed |= (u8)(1 << i);
  }
  if (base.fcw != in->fcw || base.fsw != in->fsw || base.tags != in->tags) head |= X_CONTROL;
  if (set) head |= X_REGISTERS;
  if (in->fcw != out->fcw) head |= X_FCW;
  if (in->tags != out->tags) head |= X_TAGS;
  if (changed) head |= X_CHANGED;
  if (c.undefFsw) head |= X_UNDEF;
  if (c.inexact) head |= X_INEXACT;
  if (c.holes) head |= X_HOLES;
  put8(head);
  if (head & X_CONTROL) {
    put16(in->fcw);
    put16(in->fsw);
    put8(in->tags);
  }
  if (set) put_registers(in, set);
  putVarint((in->fsw ^ out->fsw) & ~c.undefFsw & 0xffff);
  if (head & X_FCW) put16(out->fcw);
  if (head & X_TAGS) put8(out->tags);
  if (changed) put_registers(out, changed);
  if (c.undefFsw) putVarint(c.undefFsw);
  if (c.holes) {
    put8((u8)c.holes);
    for (int i = 0; i < c.holes; i++) {
      int w = window_of(c.hole[i].linear);
      if (w < 0) abort();
      put8((u8)w);
      put16((u16)(c.hole[i].linear - windows[w].base));
      put8(c.hole[i].len);
    }
  }
}

// What of the vector state differs from the base state before, and from what was before after.
static void vector_record(void) {
  vec_t base;
  vector_state(formCount - 1, formCases, flavour, &base);
  const vec_t *in = &c.vin, *out = &c.vout;
  static const u8 zero[16];
  int n = env->mode == 64 ? 16 : 8;
  u32 set = 0, changed = 0, cleared = 0, mm = 0, mmSet = 0;
  for (int i = 0; i < n; i++)
    for (int h = 0; h < 2; h++) {
      u32 bit = 1u << (i + 16 * h);
      if (memcmp(base.ymm[i] + 4 * h, in->ymm[i] + 4 * h, 16)) set |= bit;
      if (!memcmp(in->ymm[i] + 4 * h, out->ymm[i] + 4 * h, 16)) continue;
      changed |= bit;
      if (!memcmp(out->ymm[i] + 4 * h, zero, 16)) cleared |= bit;
    }
  for (int i = 0; i < 8; i++) {
    if (memcmp(in->mm[i], out->mm[i], 8)) mm |= 1u << i;
    if (memcmp(base.mm[i], in->mm[i], 8)) mmSet |= 1u << i;
  }
  bool other = set || cleared || mm || mmSet || in->ftw != out->ftw || base.ftw != in->ftw || base.mxcsr != in->mxcsr;
  u32 low = changed & 0xffff, high = changed >> 16;
  putVarint(other | (in->mxcsr != out->mxcsr) << 1 | (u64)low << 2 | (u64)high << 18);
  if (in->mxcsr != out->mxcsr) putVarint(in->mxcsr ^ out->mxcsr);
  if (other) {
    putVarint(set);
    putVarint(cleared);
    putVarint(mm | mmSet << 8);
    putVarint((in->ftw ^ out->ftw) | (base.ftw ^ in->ftw) << 8);
    putVarint(base.mxcsr ^ in->mxcsr);
    for (int i = 0; i < 32; i++)
      if (set >> i & 1) put(&body, in->ymm[i & 15] + 4 * (i >> 4), 16);
    for (int i = 0; i < 8; i++)
      if (mmSet >> i & 1) put(&body, in->mm[i], 8);
    for (int i = 0; i < 8; i++)
      if (mm >> i & 1) put(&body, out->mm[i], 8);
  }
  for (int i = 0; i < 32; i++)
    if ((changed & ~cleared) >> i & 1) put(&body, out->ymm[i & 15] + 4 * (i >> 4), 16);
}

void record_case(void) {
  regs_t base;
  base_state(formCount - 1, formCases, &base);
  bool wide = env->mode == 64;

  // After a far transfer between 64-bit mode and the others only EAX..EDI have a defined value.
  bool crossed = wide != (c.out.seg[CS] == 0x33);
  if (crossed)
    for (int i = 0; i < 16; i++) c.out.gpr[i] = i < 8 ? (c.in.gpr[i] & ~0xffffffffull) | (u32)c.out.gpr[i] : c.in.gpr[i];

  u32 set = 0, changed = 0;
  for (int i = 0; i < (wide ? 16 : 8); i++) {
    if (base.gpr[i] != c.in.gpr[i]) set |= 1u << i;
    if (c.in.gpr[i] != c.out.gpr[i] && !(c.undefGprs >> i & 1)) changed |= 1u << i;
  }
  if (base.rflags != c.in.rflags) set |= 1u << 16;

  u16 segSet = 0, segChanged = 0;
  for (int i = 0; i < 6; i++) {
    if (base.seg[i] != c.in.seg[i]) segSet |= (u16)(1 << i);
    if (c.in.seg[i] != c.out.seg[i]) segChanged |= (u16)(1 << i);
  }
  static run_t runs[256];
  int nruns = changes(runs, 256);
  bool plain = c.event.vector == 3 && c.event.err == 0 && c.out.rip == c.in.rip + (u64)c.len + 1;

  u8 head = 0;
  if (set) head |= H_SET;
  if (c.patches) head |= H_PATCH;
  if (!plain) head |= H_EVENT;
  if (changed) head |= H_GPR;
  if (nruns) head |= H_MEMORY;
  if (c.undefFlags) head |= H_UNDEF_FLAGS;
  if (c.undefGprs) head |= H_UNDEF_GPR;
  if (segSet || segChanged) head |= H_SEGMENTS;

  if (c.codeOffset >= 0x2000) abort();
  put8(head);
  put8((u8)c.len);
  put(&body, c.code, (size_t)c.len);
  put16((u16)((u32)c.codeWindow << 13 | c.codeOffset));
  if (set) {
    putVarint(set);
    for (int i = 0; i < 16; i++)
      if (set >> i & 1) putValue(c.in.gpr[i]);
    if (set >> 16 & 1) putVarint(c.in.rflags);
  }
  if (c.patches) {
    put8((u8)c.patches);
    for (int i = 0; i < c.patches; i++) {
      int w = window_of(c.patch[i].linear);
      if (w < 0) abort();
      put8((u8)w);
      put16((u16)(c.patch[i].linear - windows[w].base));
      put8(c.patch[i].len);
      put(&body, c.patch[i].bytes, c.patch[i].len);
    }
  }
  if (segSet || segChanged) {
    put8((u8)segSet);
    put8((u8)segChanged);
    for (int i = 0; i < 6; i++)
      if (segSet >> i & 1) put16(c.in.seg[i]);
    for (int i = 0; i < 6; i++)
      if (segChanged >> i & 1) put16(c.out.seg[i]);
  }
  if (!plain) {
    put8(c.event.vector);
    putValue(c.event.err);
    putValue((c.out.rip - c.in.rip) & mask_of(wide || c.out.rip >> 32 ? 64 : 32));
    if (c.event.vector == 14) putValue(c.event.cr2);
  }
  putVarint((c.in.rflags ^ c.out.rflags) & ~(u64)c.undefFlags);
  if (c.undefFlags) putVarint(c.undefFlags);
  if (c.undefGprs) putVarint(c.undefGprs);
  if (changed) {
    putVarint(changed);
    for (int i = 0; i < 16; i++)
      if (changed >> i & 1) putValue(c.in.gpr[i] ^ c.out.gpr[i]);
  }
  if (nruns) {
    put8((u8)nruns);
    for (int i = 0; i < nruns; i++) {
      put8(runs[i].window);
      put16(runs[i].offset);
      put8(runs[i].len);
      put(&body, runs[i].bytes, runs[i].len);
    }
  }
  if (x87Recorded) record_x87();
  if (vectorFile) vector_record();
  formCases++;
  caseCount++;
}

void record_finish(const char *path) {
  static const char *segNames[6] = {"es", "cs", "ss", "ds", "fs", "gs"};
  buffer_t head = {0};
  char t[512];
#define H(...) put(&head, t, (size_t)snprintf(t, sizeof t, __VA_ARGS__))
  closeForm();
  H("{%s\"seed\":%u,\"processor\":\"%s\",\"mode\":%d,\"environment\":\"%s\",\"cases\":%u,\n\"segments\":{", x87Recorded ? "\"x87\":true," : "", seed, intel ? "Intel" : "other", env->mode, env->name, caseCount);
  for (int i = 0; i < 6; i++)
    H("%s\"%s\":{\"selector\":%u,\"base\":\"0x%llx\"}", i ? "," : "", segNames[i], env->sel[i], (unsigned long long)env->segBase[i]);
  H("},\n\"ldt\":[");
  for (int i = 0; i < LDT_USED; i++) H("%s\"0x%016llx\"", i ? "," : "", (unsigned long long)ldt[i]);
  H("],\n\"windows\":[");
  for (int w = 0; w < WINDOWS; w++)
    H("%s{\"name\":\"%s\",\"base\":\"0x%llx\",\"pages\":\"%s\"}", w ? "," : "", windows[w].name,
      (unsigned long long)windows[w].base, windows[w].pages);
  H("],\n\"forms\":[\n");
  put(&head, forms.data, forms.len);
  H("]}\n");
  FILE *f = fopen(path, "wb");
  u32 size = (u32)head.len;
  if (!f || fwrite("RSVECT01", 1, 8, f) != 8 || fwrite(&size, 4, 1, f) != 1 || fwrite(head.data, 1, head.len, f) != head.len ||
      fwrite(body.data, 1, body.len, f) != body.len || fclose(f)) {
    perror(path);
    exit(1);
  }
}
