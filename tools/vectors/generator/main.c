// vectors MODE OUT [SCALE [SET [SEED]]]: records the vectors of one mode (64, 32 or 16). SET: integer, x87, sse or avx.
#include "forms.h"

void set_scale(double);

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s 64|32|16 OUT [SCALE [integer|x87|sse|avx [SEED]]]\n", argv[0]);
    return 2;
  }
  int mode = atoi(argv[1]);
  if (argc > 3) set_scale(atof(argv[3]));
  if (argc > 5) seed = (u32)strtoul(argv[5], 0, 0);
  machine_setup();
  for (int i = 0; i < 3; i++)
    if (environments[i].mode == mode) machine_env(&environments[i]);
  if (env->mode != mode) return 2;
  if (argc > 4 && !strcmp(argv[4], "x87")) {
    x87Recorded = true;
    forms_x87();
    record_finish(argv[2]);
    fprintf(stderr, "x87, %s: %u vectors\n", env->name, recorded());
    return 0;
  }
  if (argc > 4 && (!strcmp(argv[4], "sse") || !strcmp(argv[4], "avx"))) {
    vectorFile = true;
    if (!strcmp(argv[4], "sse")) forms_sse();
    else forms_avx();
    record_finish(argv[2]);
    fprintf(stderr, "%s, %s: %u vectors\n", env->name, argv[4], recorded());
    return 0;
  }
  forms_arithmetic();
  forms_shift();
  forms_bit();
  forms_move();
  forms_stack();
  forms_control();
  forms_string();
  forms_fault();
  forms_segment();
  record_finish(argv[2]);
  fprintf(stderr, "%s: %u vectors\n", env->name, recorded());
  return 0;
}
