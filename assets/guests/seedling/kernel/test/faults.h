#pragma once
/** `fault KIND`: goes wrong on purpose. */
void fault_command(const char *arguments);
