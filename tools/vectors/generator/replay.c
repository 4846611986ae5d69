// Cases that are given in full, in a text file (../README.md, "Found"): those that `ringside selftest` found, and its
// attempts to make one smaller.
#include "build.h"
#include <ctype.h>

static const char *name;
static int line;

static void __attribute__((noreturn)) bad(const char *what) {
  fprintf(stderr, "%s:%d: %s\n", name, line, what);
  exit(1);
}

// The next number of the line.
static u64 number(char **at) {
  char *end;
  while (isspace((unsigned char)**at)) ++*at;
  u64 v = strtoull(*at, &end, 16);
  if (end == *at || (*end && !isspace((unsigned char)*end))) bad("a hexadecimal number is missing");
  *at = end;
  return v;
}

static u32 up_to(char **at, u64 most) {
  u64 v = number(at);
  if (v > most) bad("a number is too large");
  return (u32)v;
}

static int bytes(char **at, u8 *out, int room) {
  int n = 0;
  while (isspace((unsigned char)**at)) ++*at;
  for (; isxdigit((unsigned char)(*at)[0]) && isxdigit((unsigned char)(*at)[1]); *at += 2) {
    if (n == room) bad("too many bytes");
    sscanf(*at, "%2hhx", &out[n++]);
  }
  if (!n || (**at && !isspace((unsigned char)**at))) bad("bytes are missing");
  return n;
}

static u64 place_of(char **at) {
  u32 w = up_to(at, WINDOWS - 1), offset = up_to(at, MAX_WINDOW - 1);
  if (offset >= window_size((int)w)) bad("beyond the window");
  return windows[w].base + offset;
}

static void blank(void) {
  begin();
  u16 seg[6];
  memcpy(seg, c.in.seg, sizeof seg);
  memset(&in, 0, sizeof in);
  memset(&c.in, 0, sizeof c.in);
  memcpy(c.in.seg, seg, sizeof seg);
  memset(&c.vin, 0, sizeof c.vin);
  memset(&c.fpIn, 0, sizeof c.fpIn);
  c.in.rflags = 0x202;
  c.vin.mxcsr = 0x1f80;
  c.fpIn.fcw = 0x37f;
  c.len = 0;
}

static void item(const char *key, char *at) {
  if (!strcmp(key, "code")) {
    c.codeWindow = (int)up_to(&at, WINDOWS - 1);
    c.codeOffset = up_to(&at, 0x1fff);
    c.len = bytes(&at, c.code, sizeof c.code);
    if (windows[c.codeWindow].pages[0] != 'x') bad("no code window");
  } else if (!strcmp(key, "gpr")) {
    u32 i = up_to(&at, 15);
    c.in.gpr[i] = number(&at);
  } else if (!strcmp(key, "flags")) c.in.rflags = number(&at);
  else if (!strcmp(key, "segment")) {
    u32 i = up_to(&at, 5);
    c.in.seg[i] = (u16)up_to(&at, 0xffff);
  } else if (!strcmp(key, "memory")) {
    if (c.patches == MAX_PATCHES) bad("too many places of memory");
    patch_t *p = &c.patch[c.patches++];
    p->linear = place_of(&at);
    p->len = (u8)bytes(&at, p->bytes, sizeof p->bytes);
    if (window_of(p->linear + p->len - 1) != window_of(p->linear)) bad("beyond the window");
  } else if (!strcmp(key, "x87")) {
    c.fpIn.fcw = (u16)up_to(&at, 0xffff);
    c.fpIn.fsw = (u16)up_to(&at, 0xffff);
    c.fpIn.tags = (u8)up_to(&at, 0xff);
  } else if (!strcmp(key, "st")) {
    u32 i = up_to(&at, 7);
    c.fpIn.se[i] = (u16)up_to(&at, 0xffff);
    c.fpIn.sig[i] = number(&at);
  } else if (!strcmp(key, "mxcsr")) {
    c.vin.mxcsr = up_to(&at, 0xffff);
    c.vin.ftw = (u8)up_to(&at, 0xff);
  } else if (!strcmp(key, "ymm")) {
    u32 i = up_to(&at, 15);
    for (int j = 0; j < 8; j++) c.vin.ymm[i][j] = up_to(&at, 0xffffffff);
  } else if (!strcmp(key, "mm")) {
    u32 i = up_to(&at, 7);
    for (int j = 0; j < 2; j++) c.vin.mm[i][j] = up_to(&at, 0xffffffff);
  } else if (!strcmp(key, "open")) {
    c.undefFlags = up_to(&at, 0xffffffff);
    c.undefGprs = up_to(&at, 0xffff);
    c.undefFsw = (u16)up_to(&at, 0xffff);
    c.inexact = up_to(&at, 1);
  } else if (!strcmp(key, "hole")) {
    if (c.holes == (int)(sizeof c.hole / sizeof *c.hole)) bad("too many holes");
    c.hole[c.holes].linear = place_of(&at);
    c.hole[c.holes++].len = (u8)up_to(&at, 0xff);
  } else bad("no such item");
}

void replay(const char *path, const char *set) {
  static char text[1024];
  FILE *f = fopen(path, "r");
  if (!f) {
    perror(path);
    exit(1);
  }
  name = path;
  flavour = V_INTEGER;
  bool taken = false;
  while (fgets(text, sizeof text, f)) {
    line++;
    char key[16], of[16];
    int mode, end;
    if (sscanf(text, " %15s %n", key, &end) < 1 || *key == '#') continue;
    text[strcspn(text, "\r\n")] = 0;
    if (!strcmp(key, "case")) {
      if (sscanf(text + end, "%15s %d %n", of, &mode, &end) < 2) bad("case wants a set, a mode and a name");
      taken = mode == env->mode && !strcmp(of, set);
      if (!taken) continue;
      form("found", "%.100s", strstr(text, of) + end);
      blank();
    } else if (!taken) continue;
    else if (!strcmp(key, "end")) {
      if (!c.len) bad("a case without code");
      conclude();
      taken = false;
    } else item(key, text + end);
  }
  fclose(f);
}
