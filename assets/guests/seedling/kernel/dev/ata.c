#include "dev/ata.h"
#include "boot-line.h"
#include "cpu/cpu.h"
#include "cpu/trap.h"
#include "dev/pci.h"
#include "fs/block.h"
#include "irq/irq.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "task/wait.h"
#include "time/clock.h"

// Command block registers, offsets from 1F0h and 170h.
#define DATA 0
#define ERROR 1
#define COUNT 2
#define LBA_LOW 3
#define LBA_MIDDLE 4
#define LBA_HIGH 5
#define DEVICE 6 // bit 6: LBA, bit 4: which drive, bits 3:0: LBA 27:24
#define COMMAND 7
#define STATUS 7
#define BSY 0x80
#define DRDY 0x40
#define DF 0x20
#define DRQ 0x08
#define ERR 0x01
#define READ_SECTORS 0x20
#define WRITE_SECTORS 0x30
#define READ_DMA 0xC8
#define WRITE_DMA 0xCA
#define IDENTIFY_DEVICE 0xEC
#define FLUSH_CACHE 0xE7
// Bus master registers, offsets from BAR4 (the second channel's are 8 further).
#define BM_COMMAND 0 // bit 0: start, bit 3: to memory
#define BM_STATUS 2  // bit 0: active, bit 1: error, bit 2: interrupt
#define BM_PRD 4

#define TIMEOUT_NS 5000000000ull
#define DMA_SECTORS 64 // 32 KiB, the bounce buffer below

struct channel {
    u16 base, control, bus_master; // bus_master 0: PIO only
    u8 irq;
    struct mutex busy;
    volatile bool done; // the drive has interrupted
    struct wait_queue waiters;
    u32 *prd;           // physical region descriptors: address, byte count, bit 31 of the second word ends the list
    u8 *bounce;         // where DMA goes: the caller's buffer may lie anywhere
};
struct drive { struct channel *channel; u8 select; bool dma; char model[41]; };

static struct channel channels[2] = {{.base = 0x1F0, .control = 0x3F6, .irq = 14}, {.base = 0x170, .control = 0x376, .irq = 15}};
static struct drive drives[4];
static struct block_device disks[4];

static void interrupt(struct trap_frame *frame) {
    struct channel *c = &channels[frame->vector - VECTOR_IRQ0 - 14];
    inb(c->base + STATUS); // reading it takes the request back
    c->done = true;
    wake_all(&c->waiters);
}

/** Waits until BSY is clear and, if asked, DRQ is set. False: an error, or it takes too long. */
static bool wait_ready(struct channel *c, bool data) {
    u64 until = clock_ns() + TIMEOUT_NS;
    for (int i = 0; i < 4; i++) inb(c->control); // 400 ns for the status to become valid
    for (;;) {
        u8 status = inb(c->base + STATUS);
        if (!(status & BSY)) {
            if (status & (ERR | DF)) return false;
            if (!data || status & DRQ) return true;
        }
        if (clock_ns() > until) return false;
        pause_cpu();
    }
}

static bool start(struct drive *drive, u64 lba, u32 count, u8 command) {
    struct channel *c = drive->channel;
    outb(c->base + DEVICE, (u8)(0xE0 | drive->select << 4 | (lba >> 24 & 15)));
    if (!wait_ready(c, false)) return false;
    c->done = false;
    outb(c->base + COUNT, (u8)count); // 0 means 256
    outb(c->base + LBA_LOW, (u8)lba);
    outb(c->base + LBA_MIDDLE, (u8)(lba >> 8));
    outb(c->base + LBA_HIGH, (u8)(lba >> 16));
    outb(c->base + COMMAND, command);
    return true;
}

static bool pio(struct drive *drive, u64 lba, u32 count, u8 *to, const u8 *from) {
    struct channel *c = drive->channel;
    if (!start(drive, lba, count, to ? READ_SECTORS : WRITE_SECTORS)) return false;
    for (u32 i = 0; i < count; i++) {
        if (!wait_ready(c, true)) return false;
        if (to) insw(c->base + DATA, to + (u64)i * SECTOR, SECTOR / 2);
        else outsw(c->base + DATA, from + (u64)i * SECTOR, SECTOR / 2);
    }
    if (!wait_ready(c, false)) return false;
    if (to) return true;
    outb(c->base + COMMAND, FLUSH_CACHE);
    return wait_ready(c, false);
}

static bool dma(struct drive *drive, u64 lba, u32 count, u8 *to, const u8 *from) {
    struct channel *c = drive->channel;
    if (from) memcpy(c->bounce, from, (u64)count * SECTOR);
    c->prd[0] = (u32)physical_of(c->bounce);
    c->prd[1] = 1u << 31 | count * SECTOR;
    outl(c->bus_master + BM_PRD, (u32)physical_of(c->prd));
    outb(c->bus_master + BM_COMMAND, to ? 8 : 0);
    outb(c->bus_master + BM_STATUS, inb(c->bus_master + BM_STATUS) | 6); // written ones clear
    if (!start(drive, lba, count, to ? READ_DMA : WRITE_DMA)) return false;
    outb(c->bus_master + BM_COMMAND, to ? 9 : 1);
    bool done = wait_for_ns(&c->waiters, &c->done, TIMEOUT_NS);
    outb(c->bus_master + BM_COMMAND, 0);
    u8 status = inb(c->bus_master + BM_STATUS);
    outb(c->bus_master + BM_STATUS, status | 6);
    if (!done || status & 2 || !wait_ready(c, false)) {
        printf("ata: DMA of LBA %llu failed (bus master status %02x, drive status %02x)\n", lba, status, inb(c->base + STATUS));
        return false;
    }
    if (to) memcpy(to, c->bounce, (u64)count * SECTOR);
    return true;
}

static bool transfer(struct drive *drive, u64 lba, u32 count, u8 *to, const u8 *from) {
    bool done = true;
    mutex_lock(&drive->channel->busy);
    while (count && done) {
        u32 now = MIN(count, DMA_SECTORS);
        if (drive->dma && !dma(drive, lba, now, to, from)) {
            printf("ata: going on without DMA\n");
            drive->dma = false;
        }
        if (!drive->dma) done = pio(drive, lba, now, to, from);
        lba += now;
        count -= now;
        if (to) to += (u64)now * SECTOR;
        if (from) from += (u64)now * SECTOR;
    }
    mutex_unlock(&drive->channel->busy);
    return done;
}

static bool disk_read(struct block_device *disk, u64 lba, u32 count, void *buffer) { return transfer(disk->data, lba, count, buffer, NULL); }
static bool disk_write(struct block_device *disk, u64 lba, u32 count, const void *buffer) { return transfer(disk->data, lba, count, NULL, buffer); }

static bool identify(struct drive *drive, u16 *data) {
    struct channel *c = drive->channel;
    outb(c->base + DEVICE, (u8)(0xA0 | drive->select << 4));
    for (int i = 0; i < 4; i++) inb(c->control);
    u8 status = inb(c->base + STATUS);
    if (status == 0 || status == 0xFF) return false; // nobody drives the bus
    outb(c->base + COUNT, 0);
    outb(c->base + LBA_LOW, 0);
    outb(c->base + LBA_MIDDLE, 0);
    outb(c->base + LBA_HIGH, 0);
    outb(c->base + COMMAND, IDENTIFY_DEVICE);
    if (inb(c->base + STATUS) == 0) return false;
    if (!wait_ready(c, true)) return false; // an ATAPI device answers with an error and its signature
    insw(c->base + DATA, data, 256);
    return true;
}

static void prepare_dma(void) {
    const struct pci_device *ide = pci_find_class(1, 1);
    if (!ide || !(ide->interface & 0x80)) return; // no bus master
    u32 bar = pci_read(ide, 0x20);
    if (!(bar & 1) || !(bar & 0xFFF0)) return;
    pci_write(ide, 4, pci_read(ide, 4) | 5); // answer to ports, be a bus master
    for (unsigned i = 0; i < 2; i++) {
        struct channel *c = &channels[i];
        u64 table = frame_allocate(0, FRAME_KERNEL), bounce = frame_allocate(3, FRAME_KERNEL);
        if (!table || !bounce || table >> 32 || bounce >> 32) return; // the controller has 32 address bits
        c->prd = direct(table);
        c->bounce = direct(bounce);
        c->bus_master = (u16)((bar & 0xFFF0) + 8 * i);
    }
}

void ata_init(void) {
    if (!strcmp(boot_options.ata, "off")) return;
    if (!strcmp(boot_options.ata, "dma")) prepare_dma();
    for (unsigned i = 0; i < 4; i++) {
        struct channel *c = &channels[i / 2];
        struct drive *drive = &drives[i];
        u16 data[256];
        if (i % 2 == 0) {
            wait_queue_init(&c->waiters);
            wait_queue_init(&c->busy.waiters);
            if (inb(c->base + STATUS) == 0xFF) { // no channel
                i++;
                continue;
            }
            outb(c->control, 0); // nIEN clear: interrupts on
            irq_install(c->irq, i ? "ATA, second" : "ATA, first", interrupt);
        }
        drive->channel = c;
        drive->select = i & 1;
        if (!identify(drive, data)) continue;
        for (unsigned j = 0; j < 40; j++) drive->model[j] = (char)(data[27 + j / 2] >> (j % 2 ? 0 : 8)); // bytes swapped
        for (int j = 39; j >= 0 && drive->model[j] == ' '; j--) drive->model[j] = 0;
        u64 sectors = data[60] | (u64)data[61] << 16;
        drive->dma = c->bus_master && data[49] & 0x100;
        if (!(data[49] & 0x200) || !sectors) {
            printf("ata: %s has no LBA and is left alone\n", drive->model);
            continue;
        }
        disks[i] = (struct block_device){.sectors = sectors, .read = disk_read, .write = disk_write, .data = drive};
        format(disks[i].name, sizeof disks[i].name, "hd%c", 'a' + i);
        printf("ata: hd%c is %s, %llu KiB, %s\n", 'a' + i, drive->model, sectors / 2, drive->dma ? "DMA" : "PIO");
        block_register(&disks[i]);
        block_scan_partitions(&disks[i]);
    }
}
