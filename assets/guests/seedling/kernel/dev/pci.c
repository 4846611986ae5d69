#include "dev/pci.h"
#include "cpu/cpu.h"
#include "cpu/spinlock.h"
#include "lib/printf.h"

#define ADDRESS 0xCF8
#define DATA 0xCFC

struct pci_device pci_devices[64];
unsigned pci_count;
static struct spinlock lock = SPINLOCK("pci");

static u32 config(u8 bus, u8 slot, u8 function, u8 offset, const u32 *write) {
    u64 flags = spin_lock(&lock); // address and data are two accesses
    outl(ADDRESS, 1u << 31 | (u32)bus << 16 | (u32)slot << 11 | (u32)function << 8 | (offset & 0xFC));
    u32 value = 0;
    if (write) outl(DATA, *write);
    else value = inl(DATA);
    spin_unlock(&lock, flags);
    return value;
}

u32 pci_read(const struct pci_device *d, u8 offset) { return config(d->bus, d->slot, d->function, offset, NULL); }
void pci_write(const struct pci_device *d, u8 offset, u32 value) { config(d->bus, d->slot, d->function, offset, &value); }

static void scan(u8 bus) {
    for (u8 slot = 0; slot < 32; slot++)
        for (u8 function = 0; function < 8; function++) {
            u32 id = config(bus, slot, function, 0, NULL);
            if ((id & 0xFFFF) == 0xFFFF) { // nobody answers
                if (function == 0) break;
                continue;
            }
            if (pci_count == COUNT_OF(pci_devices)) return;
            u32 class = config(bus, slot, function, 8, NULL);
            u8 header = (u8)(config(bus, slot, function, 12, NULL) >> 16);
            pci_devices[pci_count++] = (struct pci_device){bus, slot, function, (u16)id, (u16)(id >> 16), (u8)(class >> 24),
                                                           (u8)(class >> 16), (u8)(class >> 8), header};
            if ((header & 0x7F) == 1) { // a bridge: its secondary bus
                u8 behind = (u8)(config(bus, slot, function, 0x18, NULL) >> 8);
                if (behind > bus) scan(behind);
            }
            if (function == 0 && !(header & 0x80)) break; // one function only
        }
}

void pci_init(void) {
    u32 before = inl(ADDRESS);
    outl(ADDRESS, 0x80000000);
    bool present = inl(ADDRESS) == 0x80000000;
    outl(ADDRESS, before);
    if (present) scan(0);
    else printf("pci: no configuration mechanism #1 here\n");
}

const struct pci_device *pci_find_class(u8 class, u8 subclass) {
    for (unsigned i = 0; i < pci_count; i++)
        if (pci_devices[i].class == class && pci_devices[i].subclass == subclass) return &pci_devices[i];
    return NULL;
}

static const char *class_name(u8 class, u8 subclass) {
    switch (class << 8 | subclass) {
    case 0x0101: return "IDE controller";
    case 0x0106: return "SATA controller";
    case 0x0200: return "Ethernet controller";
    case 0x0300: return "VGA controller";
    case 0x0600: return "host bridge";
    case 0x0601: return "ISA bridge";
    case 0x0604: return "PCI bridge";
    case 0x0680: return "bridge";
    case 0x0C03: return "USB controller";
    default: return class == 1 ? "mass storage" : class == 2 ? "network" : "";
    }
}

void pci_print(void) {
    if (pci_count == 0) printf("no PCI devices\n");
    for (unsigned i = 0; i < pci_count; i++) {
        const struct pci_device *d = &pci_devices[i];
        printf("%02x:%02x.%x %04x:%04x class %02x%02x%02x %s", d->bus, d->slot, d->function, d->vendor, d->device, d->class, d->subclass,
               d->interface, class_name(d->class, d->subclass));
        if ((d->header & 0x7F) == 0) {
            for (u8 bar = 0; bar < 6; bar++) {
                u32 value = pci_read(d, (u8)(0x10 + bar * 4));
                if (value & 1) printf(", BAR%u port %xh", bar, value & ~3u);
                else if (value & ~15u) printf(", BAR%u %08x", bar, value & ~15u);
            }
            u8 pin = (u8)(pci_read(d, 0x3C) >> 8);
            if (pin) printf(", INT%c on %u", 'A' + pin - 1, pci_read(d, 0x3C) & 0xFF);
        }
        printf("\n");
    }
}
