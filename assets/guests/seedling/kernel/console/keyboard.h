#pragma once
void keyboard_init(void);
