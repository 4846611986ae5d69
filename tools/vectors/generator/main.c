// vectors MODE OUT [SCALE]: records the integer vectors of one mode (64, 32 or 16).
#include "forms.h"

void set_scale(double);

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s 64|32|16 OUT [SCALE]\n", argv[0]);
    return 2;
  }
  int mode = atoi(argv[1]);
  if (argc > 3) set_scale(atof(argv[3]));
  machine_setup();
  for (int i = 0; i < 3; i++)
    if (environments[i].mode == mode) machine_env(&environments[i]);
  if (env->mode != mode) return 2;
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
