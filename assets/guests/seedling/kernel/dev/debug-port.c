#include "dev/debug-port.h"
#include "boot-line.h"
#include "lib/string.h"

bool debug_port_on;

void debug_port_init(void) {
    debug_port_on = boot_options.debug_port && ringside_present();
    debug_port_name_pool(POOL_FRAMES, "frames");
}

void debug_port_name_pool(u64 pool, const char *name) {
    if (debug_port_on) ringside_pool(pool, name, strlen(name));
}

void debug_port_event(const char *name, u64 value1, u64 value2) {
    if (debug_port_on) ringside_named(name, strlen(name), value1, value2);
}

void debug_port_task(u64 id, const char *name) {
    if (debug_port_on) ringside_task(id, name, strlen(name));
}
