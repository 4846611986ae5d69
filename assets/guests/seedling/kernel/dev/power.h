#pragma once
#include "types.h"
/** Switches the machine off: by ACPI, by what emulators understand; else says so and stops. */
NORETURN void power_off(void);
NORETURN void reboot(void);
