// PCI configuration space by mechanism #1, ports CF8h and CFCh (PCI 3.0, 3.2.2.3.2).
#pragma once
#include "types.h"

struct pci_device { u8 bus, slot, function; u16 vendor, device; u8 class, subclass, interface, header; };
extern struct pci_device pci_devices[64];
extern unsigned pci_count;

void pci_init(void);
u32 pci_read(const struct pci_device *device, u8 offset);
void pci_write(const struct pci_device *device, u8 offset, u32 value);
const struct pci_device *pci_find_class(u8 class, u8 subclass);
void pci_print(void);
