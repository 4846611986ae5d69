// vectors MODE OUT [SCALE [SET [SEED [CASES]]]]: records the vectors of one mode (64, 32 or 16). SET: integer, x87, sse or avx.
// CASES: a file of cases given in full (replay.c) that follow; with a SCALE of 0 there are no others.
#include "forms.h"
#include <sys/personality.h>
#include <unistd.h>

void set_scale(double);

// The heap of a program may begin anywhere, even where a window has to lie: once more, without that.
static void settle_addresses(char **argv) {
  int now = personality(0xffffffff);
  if (now == -1 || now & ADDR_NO_RANDOMIZE) return;
  if (personality((unsigned long)now | ADDR_NO_RANDOMIZE) != -1) execv("/proc/self/exe", argv);
}

int main(int argc, char **argv) {
  settle_addresses(argv);
  if (argc < 3) {
    fprintf(stderr, "usage: %s 64|32|16 OUT [SCALE [integer|x87|sse|avx [SEED [CASES]]]]\n", argv[0]);
    return 2;
  }
  int mode = atoi(argv[1]);
  if (argc > 3) set_scale(atof(argv[3]));
  if (argc > 5) seed = (u32)strtoul(argv[5], 0, 0);
  machine_setup();
  for (int i = 0; i < 3; i++)
    if (environments[i].mode == mode) machine_env(&environments[i]);
  if (env->mode != mode) return 2;
  const char *set = argc > 4 ? argv[4] : "integer";
  bool only = argc > 6 && !strcmp(argv[3], "0");  // nothing but the cases of a file
  x87Recorded = !strcmp(set, "x87");
  vectorFile = !strcmp(set, "sse") || !strcmp(set, "avx");
  if (only) {
  } else if (x87Recorded) forms_x87();
  else if (vectorFile && *set == 's') forms_sse();
  else if (vectorFile) forms_avx();
  else {
    forms_arithmetic();
    forms_shift();
    forms_bit();
    forms_move();
    forms_stack();
    forms_control();
    forms_string();
    forms_fault();
    forms_segment();
    forms_pairs();
  }
  if (argc > 6) replay(argv[6], set);
  record_finish(argv[2]);
  fprintf(stderr, "%s, %s: %u vectors\n", set, env->name, recorded());
  return 0;
}
