// The pair of 8259A interrupt controllers.
#pragma once
#include "types.h"
void pic_init(void);
void pic_mask(unsigned irq, bool masked);
void pic_eoi(unsigned irq);
bool pic_is_spurious(unsigned irq);
bool pic_in_service(unsigned irq);
