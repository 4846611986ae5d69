#include "dev/acpi.h"
#include "boot-info.h"
#include "boot-line.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/paging.h"

struct acpi acpi;

struct PACKED rsdp { char signature[8]; u8 checksum; char oem[6]; u8 revision; u32 rsdt; u32 length; u64 xsdt; };
struct PACKED table { char signature[4]; u32 length; u8 revision, checksum; char oem[6], oem_table[8]; u32 oem_revision, creator, creator_revision; };
struct PACKED fadt {
    struct table header;
    u32 firmware_control, dsdt;
    u8 reserved, profile;
    u16 sci;
    u32 smi_command;
    u8 acpi_enable, acpi_disable, s4, pstate;
    u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control;
    u8 rest[116 - 72];
    struct PACKED { u8 space, width, offset, access; u64 address; } reset_register;
    u8 reset_value;
};
_Static_assert(offsetof(struct fadt, reset_register) == 116, "ACPI 6.4, table 5.9");

static bool sums_to_zero(const void *data, u64 size) {
    u8 sum = 0;
    for (u64 i = 0; i < size; i++) sum = (u8)(sum + ((const u8 *)data)[i]);
    return sum == 0;
}

static const struct rsdp *find_rsdp(void) {
    if (boot_info.has_rsdp) return (const void *)boot_info.rsdp;
    // ACPI 6.4, 5.2.5.1: in the first KiB of the EBDA, or from E0000h to FFFFFh, at multiples of 16.
    u64 ebda = (u64) * (const u16 *)direct(0x40E) << 4;
    struct { u64 from, to; } places[] = {{ebda, ebda + 1024}, {0xE0000, 0x100000}};
    for (int p = 0; p < 2; p++)
        for (u64 at = places[p].from; at >= 0x80000 && at < places[p].to; at += 16)
            if (!memcmp(direct(at), "RSD PTR ", 8) && sums_to_zero(direct(at), 20)) return direct(at);
    return NULL;
}

/** A table by its physical address: NULL if it is not whole. */
static const struct table *map_table(u64 address) {
    const struct table *table = map_firmware(address, sizeof(struct table));
    if (!table || table->length < sizeof(struct table) || table->length > MIB) return NULL;
    table = map_firmware(address, table->length);
    if (table && !sums_to_zero(table, table->length)) {
        printf("acpi: the checksum of table %.4s is wrong, ignoring it\n", table->signature);
        return NULL;
    }
    return table;
}

static void read_madt(const struct table *madt) {
    const u8 *bytes = (const u8 *)madt;
    acpi.lapic_address = *(const u32 *)(bytes + 36);
    for (u32 at = 44; at + 2 <= madt->length && bytes[at + 1] >= 2; at += bytes[at + 1]) {
        const u8 *entry = bytes + at;
        switch (entry[0]) {
        case 0: // a processor's local APIC; bit 0 of its flags: enabled
            if (!(entry[4] & 1)) break;
            if (acpi.cpu_count < ACPI_MAX_CPUS) acpi.cpu_apic_ids[acpi.cpu_count++] = entry[3];
            else acpi.cpus_beyond++;
            break;
        case 1:
            if (acpi.ioapic_address) break; // the first one has the ISA interrupts
            acpi.ioapic_address = *(const u32 *)(entry + 4);
            acpi.ioapic_base = *(const u32 *)(entry + 8);
            break;
        case 2: // interrupt source override; polarity in bits 1:0, trigger in 3:2 (11b: active low, level)
            if (entry[3] >= 16) break;
            acpi.isa[entry[3]].gsi = *(const u32 *)(entry + 4);
            acpi.isa[entry[3]].low = (entry[8] & 3) == 3;
            acpi.isa[entry[3]].level = (entry[8] >> 2 & 3) == 3;
            break;
        case 5: acpi.lapic_address = *(const u64 *)(entry + 4); break;
        }
    }
}

/** The value to write for S5 is in the DSDT, in AML: Name (_S5, Package () {typeA, typeB, ...}) (ACPI 6.4, 7.4.2). A whole
 * interpreter would be right; looking for these bytes works on every firmware anybody has met. */
static void find_s5(const struct table *dsdt) {
    const u8 *bytes = (const u8 *)dsdt;
    for (u32 at = sizeof *dsdt; at + 16 < dsdt->length; at++) {
        if (memcmp(bytes + at, "_S5_", 4) || bytes[at + 4] != 0x12) continue; // PackageOp
        u32 p = at + 5;
        p += (bytes[p] >> 6) + 1; // PkgLength: 1 to 4 bytes
        p++;                      // number of elements
        u16 types[2] = {0, 0};
        for (int i = 0; i < 2; i++) {
            if (bytes[p] == 0x0A) { // BytePrefix
                types[i] = bytes[p + 1];
                p += 2;
            } else types[i] = bytes[p++]; // ZeroOp or OneOp
        }
        acpi.sleep_type_a = types[0];
        acpi.sleep_type_b = types[1];
        acpi.can_power_off = acpi.pm1a_control != 0;
        return;
    }
}

static void read_fadt(const struct fadt *fadt) {
    acpi.pm1a_control = (u16)fadt->pm1a_control;
    acpi.pm1b_control = (u16)fadt->pm1b_control;
    if (fadt->header.length >= 129 && fadt->reset_register.address) {
        acpi.reset.present = true;
        acpi.reset.space = fadt->reset_register.space;
        acpi.reset.address = fadt->reset_register.address;
        acpi.reset.value = fadt->reset_value;
    }
    const struct table *dsdt = map_table(fadt->dsdt);
    if (dsdt) find_s5(dsdt);
}

void acpi_init(void) {
    for (unsigned i = 0; i < 16; i++) acpi.isa[i].gsi = i;
    const struct rsdp *rsdp = boot_options.acpi ? find_rsdp() : NULL;
    if (!rsdp) {
        printf("acpi: %s: one CPU, 8259A interrupts, no power-off by ACPI\n", boot_options.acpi ? "no tables" : "switched off by the boot line");
        return;
    }
    bool extended = rsdp->revision >= 2 && rsdp->xsdt;
    const struct table *root = map_table(extended ? rsdp->xsdt : rsdp->rsdt);
    if (!root) {
        printf("acpi: the root table is broken: doing without\n");
        return;
    }
    acpi.found = true;
    u32 width = extended ? 8 : 4, count = (root->length - (u32)sizeof *root) / width;
    for (u32 i = 0; i < count; i++) {
        const u8 *pointer = (const u8 *)(root + 1) + i * width;
        const struct table *table = map_table(extended ? *(const u64 *)pointer : *(const u32 *)pointer);
        if (!table) continue;
        if (acpi.table_count < COUNT_OF(acpi.tables)) memcpy(acpi.tables[acpi.table_count++], table->signature, 4);
        if (!memcmp(table->signature, "APIC", 4)) read_madt(table);
        if (!memcmp(table->signature, "FACP", 4)) read_fadt((const void *)table);
        if (!memcmp(table->signature, "HPET", 4)) acpi.hpet_address = *(const u64 *)((const u8 *)table + 44);
    }
    if (acpi.cpus_beyond) printf("acpi: %u processors more than Seedling can use\n", acpi.cpus_beyond);
}

void acpi_print(void) {
    if (!acpi.found) {
        printf("no ACPI tables\n");
        return;
    }
    printf("tables:");
    for (unsigned i = 0; i < acpi.table_count; i++) printf(" %s", acpi.tables[i]);
    printf("\nlocal APICs at %llx, IDs:", acpi.lapic_address);
    for (unsigned i = 0; i < acpi.cpu_count; i++) printf(" %u", acpi.cpu_apic_ids[i]);
    printf("\nIOAPIC at %llx, its first interrupt is %u\nHPET at %llx\n", acpi.ioapic_address, acpi.ioapic_base, acpi.hpet_address);
    for (unsigned i = 0; i < 16; i++)
        if (acpi.isa[i].gsi != i || acpi.isa[i].level)
            printf("ISA interrupt %u arrives at input %u%s%s\n", i, acpi.isa[i].gsi, acpi.isa[i].level ? ", level" : "",
                   acpi.isa[i].low ? ", active low" : "");
    if (acpi.can_power_off)
        printf("S5: %u to SLP_TYP of PM1a_CNT, port %xh\n", acpi.sleep_type_a, acpi.pm1a_control);
}
