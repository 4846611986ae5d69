// ATA disks on the two legacy channels (ATA/ATAPI-6), by PIO or by bus master DMA (Programming Interface for Bus Master
// IDE Controller 1.0, Intel).
#pragma once
void ata_init(void);
