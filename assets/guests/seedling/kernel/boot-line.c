#include "boot-line.h"
#include "lib/printf.h"
#include "lib/string.h"

struct boot_options boot_options = {
    .run = "shell", .frames = "buddy", .sched = "rr", .irq = "apic", .timer = "lapic", .ata = "dma", .panic = "halt", .root = "/",
    .hz = 100, .quantum = 5, .cpus = 16, .deaf = ~0ull, .operations = 1000000, .unmappings = 1000, .seed = 1, .patience = 20000, .debug_port = true, .acpi = true,
};

enum kind { TEXT, NUMBER, SWITCH };
#define O(member) &boot_options.member
static const struct option {
    const char *name;
    enum kind kind;
    void *value;
    u64 low, high;       // NUMBER
    const char *choices; // TEXT: separated by spaces; NULL: anything that fits into high bytes
} options[] = {
    {"run", TEXT, O(run), 0, sizeof boot_options.run, NULL},
    {"frames", TEXT, O(frames), 0, sizeof boot_options.frames, "bitmap buddy"},
    {"sched", TEXT, O(sched), 0, sizeof boot_options.sched, "fcfs sjf rr priority mlfq dynamic fair async"},
    {"irq", TEXT, O(irq), 0, sizeof boot_options.irq, "pic apic"},
    {"timer", TEXT, O(timer), 0, sizeof boot_options.timer, "pit lapic hpet"},
    {"ata", TEXT, O(ata), 0, sizeof boot_options.ata, "off pio dma"},
    {"panic", TEXT, O(panic), 0, sizeof boot_options.panic, "halt off reboot"},
    {"root", TEXT, O(root), 0, sizeof boot_options.root, NULL},
    {"fb", TEXT, NULL, 0, 0, NULL}, // stage 2 has seen to it
    {"hz", NUMBER, O(hz), 10, 10000, NULL},
    {"quantum", NUMBER, O(quantum), 1, 1000, NULL},
    {"cpus", NUMBER, O(cpus), 1, 16, NULL},
    {"deaf", NUMBER, O(deaf), 0, 255, NULL},
    {"ops", NUMBER, O(operations), 1, 1000000000, NULL},
    {"unmappings", NUMBER, O(unmappings), 1, 1000000000, NULL},
    {"seed", NUMBER, O(seed), 0, ~0ull, NULL},
    {"patience", NUMBER, O(patience), 10, 1000000, NULL},
    {"poison", SWITCH, O(poison), 0, 0, NULL},
    {"forget-ipi", SWITCH, O(forget_ipi), 0, 0, NULL},
    {"debug-port", SWITCH, O(debug_port), 0, 0, NULL},
    {"acpi", SWITCH, O(acpi), 0, 0, NULL},
};

static bool is_choice(const char *choices, const char *value) {
    char word[16];
    while (next_word(&choices, word, sizeof word))
        if (!strcmp(word, value)) return true;
    return false;
}

static void apply(const char *word) {
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const char *value = equals ? equals + 1 : "on";
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        const struct option *o = &options[i];
        if (strlen(o->name) != length || strncmp(o->name, word, length)) continue;
        u64 number;
        switch (o->kind) {
        case TEXT:
            if (!o->value) return;
            if (o->choices && !is_choice(o->choices, value)) printf("boot line: %s must be one of: %s\n", o->name, o->choices);
            else if (strlen(value) >= o->high) printf("boot line: %s is too long\n", o->name);
            else copy_string(o->value, value, o->high);
            return;
        case NUMBER:
            if (!parse_number(value, &number) || number < o->low || number > o->high)
                printf("boot line: %s must be a number from %llu to %llu\n", o->name, o->low, o->high);
            else *(u64 *)o->value = number;
            return;
        case SWITCH:
            if (!strcmp(value, "on")) *(bool *)o->value = true;
            else if (!strcmp(value, "off")) *(bool *)o->value = false;
            else printf("boot line: %s is on or off\n", o->name);
            return;
        }
    }
    printf("boot line: '%s' means nothing here and is ignored; known are:", word);
    for (size_t i = 0; i < COUNT_OF(options); i++) printf(" %s", options[i].name);
    printf("\n");
}

void boot_line_parse(const char *line) {
    char word[128];
    while (next_word(&line, word, sizeof word)) {
        if (strchr(word, '/') && word[0] == '/') continue; // GRUB puts the kernel's path first
        apply(word);
    }
    for (char *c = boot_options.run; *c; c++)
        if (*c == ',') *c = ' ';
}
