/* Says on COM1 and the debug console what a Multiboot loader handed over, and checks it. Built twice: -m32 for
 * Multiboot (VERSION 1), -m64 at FFFFFFFF80000000h for Multiboot 2. Ends with 10h to isa-debug-exit when all is well. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef __UINTPTR_TYPE__ uptr;

struct state { u32 eax, ebx, eflags, cr0, limits, esp; u8 zero; };
static int failures;
volatile u32 initialised = 0x12345678, zeroed[700];

static void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static u8 inb(u16 port) { u8 value; __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }
static void put(char c)
{
    while (!(inb(0x3fd) & 0x20)) {}
    outb(0x3f8, c);
    outb(0xe9, c);
}
static void text(const char *s) { while (*s) put(*s++); }
static void hex(u64 value)
{
    int shift = 60;
    while (shift > 0 && !(value >> shift)) shift -= 4;
    for (; shift >= 0; shift -= 4) put("0123456789ABCDEF"[(value >> shift) & 15]);
}
static void field(const char *name, u64 value) { text(" "); text(name); text("="); hex(value); }
static void check(int good, const char *what)
{
    if (good) return;
    failures++;
    text("FAIL: ");
    text(what);
    text("\n");
}
static int equal(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}
static void *at(u64 address) { return (void *)(uptr)address; }

/* ---- the parts both versions have ---- */
static void module(u32 start, u32 end, const char *string)
{
    u32 sum = 0;
    for (const u8 *p = at(start); p < (u8 *)at(end); p++) sum = sum * 31 + *p;
    text("module");
    field("start", start);
    field("size", end - start);
    field("sum", sum);
    text(" string=\"");
    text(string);
    text("\"\n");
    check((start & 4095) == 0, "a module is on a page");
}
static u64 covered;
static void range(u64 base, u64 length, u32 type)
{
    text("memory");
    field("base", base);
    field("length", length);
    field("type", type);
    text("\n");
    u64 kernel = 0x200000;
    if (type == 1 && base <= kernel && base + length > kernel) covered = base + length;
}
static void framebuffer(u64 address, u32 pitch, u32 width, u32 height, u8 bits, u8 type, const u8 *colours)
{
    text("framebuffer");
    field("address", address);
    field("pitch", pitch);
    field("width", width);
    field("height", height);
    field("bits", bits);
    field("type", type);
    if (type == 1) {
        for (int i = 0; i < 6; i++) field("c", colours[i]);
        check(pitch >= width * (bits / 8), "a line fits into the pitch");
        volatile u8 *last = at(address + (u64)pitch * (height - 1) + (width - 1) * (bits / 8));
        *last = 0x5a;
        check(*last == 0x5a, "the last pixel keeps what is written");
        for (u32 y = 0; y < height; y++)
            for (u32 x = 0; x < width && bits == 32; x++)
                ((volatile u32 *)at(address + (u64)pitch * y))[x] =
                    ((x * 255 / width) << colours[0]) | ((y * 255 / height) << colours[2]) | (0x60u << colours[4]);
    } else {
        check(type == 2 && address == 0xb8000 && pitch == 160 && width == 80 && height == 25, "EGA text as text");
    }
    text("\n");
}

#if VERSION == 1
struct shdr { u32 name, type, flags, addr, offset, size, link, info, align, entsize; };
struct sym { u32 name, value, size; u8 info, other; u16 shndx; };
#else
struct shdr { u32 name, type; u64 flags, addr, offset, size; u32 link, info; u64 align, entsize; };
struct sym { u32 name; u8 info, other; u16 shndx; u64 value, size; };
#endif
void kmain(struct state *);
static void sections(u32 count, u32 size, uptr headers, u32 names)
{
    text("sections");
    field("count", count);
    check(size == sizeof(struct shdr) && names < count, "section headers of this class");
    struct shdr *h = at(headers);
    int found = 0;
    for (u32 i = 0; i < count; i++) {
        if (equal((char *)at(h[names].addr) + h[i].name, ".symtab")) text(" .symtab");
        if (h[i].type != 2) continue;
        struct sym *s = at(h[i].addr);
        const char *strings = at(h[h[i].link].addr);
        for (u32 n = 0; n < h[i].size / sizeof *s; n++)
            if (equal(strings + s[n].name, "kmain")) found = s[n].value == (uptr)kmain;
    }
    text("\n");
    check(found, "the symbol kmain is in .symtab, with its address");
}

#if VERSION == 2
static u8 sum(const u8 *p, u32 n) { u8 s = 0; while (n--) s += *p++; return s; }
/* Walks from the root pointer to the tables. */
static void acpi(const u8 *rsdp, u32 size, int newer)
{
    text(newer ? "acpi new" : "acpi old");
    check(sum(rsdp, 20) == 0, "the check sum of the root pointer");
    if (newer) check(size >= 36 && sum(rsdp, 36) == 0, "the extended check sum of the root pointer");
    u64 root = newer ? *(u64 *)(rsdp + 24) : *(u32 *)(rsdp + 16);
    const u8 *table = at(root);
    u32 length = *(u32 *)(table + 4), step = newer ? 8 : 4;
    check(sum(table, length) == 0, newer ? "the check sum of the XSDT" : "the check sum of the RSDT");
    for (u32 i = 36; i + step <= length; i += step) {
        const u8 *entry = at(newer ? *(u64 *)(table + i) : *(u32 *)(table + i));
        put(' ');
        for (int c = 0; c < 4; c++) put(entry[c]);
        check(sum(entry, *(u32 *)(entry + 4)) == 0, "the check sum of a table");
    }
    text("\n");
}
#endif

/* ---- Multiboot ---- */
#if VERSION == 1
static void information(u32 ebx)
{
    u32 *b = at(ebx);
    u32 flags = b[0];
    field("flags", flags);
    text("\n");
    check(flags & 1, "flags: memory");
    field("lower", b[1]);
    field("upper", b[2]);
    text("\n");
    check(flags & 4, "flags: command line");
    text("command line \"");
    text(at(b[4]));
    text("\"\n");
    check(flags & 8, "flags: modules");
    for (u32 i = 0; i < b[5]; i++) {
        u32 *m = (u32 *)at(b[6]) + i * 4;
        module(m[0], m[1], at(m[2]));
    }
    check((flags & 0x30) == 0x20, "flags: ELF sections, no a.out symbols");
    sections(b[7], b[8], b[9], b[10]);
    check(flags & 0x40, "flags: memory map");
    for (u32 p = b[12]; p < b[12] + b[11]; p += *(u32 *)at(p) + 4) {
        u32 *e = at(p + 4);
        range(*(u64 *)e, *(u64 *)(e + 2), e[4]);
    }
    check(covered == (u64)b[2] * 1024 + 0x100000, "upper memory as the memory map has it");
    check(flags & 0x200, "flags: loader name");
    text("loader ");
    text(at(b[16]));
    text("\n");
    check(flags & 0x1000, "flags: framebuffer");
    /* The colours stand at 112, as in multiboot.h and as GRUB has them; the specification's table says 110. */
    framebuffer(*(u64 *)(b + 22), b[24], b[25], b[26], ((u8 *)b)[108], ((u8 *)b)[109], (u8 *)b + 112);
    if (flags & 0x800) {
        u8 *mode = at(b[19]);
        check(*(u32 *)at(b[18]) == 0x41534556, "the VBE controller information says VESA");
        check(*(u32 *)(mode + 40) == b[22] && *(u16 *)(mode + 18) == b[25], "the VBE mode is the framebuffer's");
    }
}
#define MAGIC 0x2badb002
#else
/* ---- Multiboot 2 ---- */
static void information(u32 ebx)
{
    u32 *b = at(ebx);
    u32 seen = 0, upper = 0;
    check((ebx & 7) == 0, "the information is aligned to 8 bytes");
    u32 p = ebx + 8, end = ebx + b[0];
    while (p < end) {
        u32 *t = at(p);
        if (t[1] < 8) {
            check(0, "the size of a tag");
            return;
        }
        if (t[0] < 32) seen |= 1u << t[0];
        switch (t[0]) {
        case 0:
            check(t[1] == 8 && p + 8 == end, "the end tag is the last");
            break;
        case 1:
            text("command line \"");
            text((char *)(t + 2));
            text("\"\n");
            break;
        case 2:
            text("loader ");
            text((char *)(t + 2));
            text("\n");
            break;
        case 3: module(t[2], t[3], (char *)(t + 4)); break;
        case 4:
            field("lower", t[2]);
            field("upper", upper = t[3]);
            text("\n");
            break;
        case 6:
            check(t[2] >= 24, "entries of the memory map");
            for (u32 e = p + 16; e < p + t[1]; e += t[2]) range(*(u64 *)at(e), *(u64 *)at(e + 8), *(u32 *)at(e + 16));
            break;
        case 7: check(*(u32 *)((u8 *)t + 16) == 0x41534556, "the VBE controller information says VESA"); break;
        case 8: framebuffer(*(u64 *)(t + 2), t[4], t[5], t[6], ((u8 *)t)[28], ((u8 *)t)[29], (u8 *)t + 32); break;
        case 9: sections(t[2], t[3], (uptr)(t + 5), t[4]); break;
        case 14: acpi((u8 *)(t + 2), t[1] - 8, 0); break;
        case 15: acpi((u8 *)(t + 2), t[1] - 8, 1); break;
        }
        p += (t[1] + 7) & ~7u;
    }
    check((seen & 0x357) == 0x357, "tags: end, command line, loader, memory, map, framebuffer, sections");
    check(covered == (u64)upper * 1024 + 0x100000, "upper memory as the memory map has it");
}
#define MAGIC 0x36d76289
#endif

void kmain(struct state *s)
{
    outb(0x3f9, 0);
    outb(0x3fb, 0x83);
    outb(0x3f8, 1);
    outb(0x3f9, 0);
    outb(0x3fb, 3);
    outb(0x3fc, 3);
    text("Multiboot ");
    hex(VERSION);
    field("word", sizeof(uptr) * 8);
    text("\n");
    check(s->eax == MAGIC, "EAX is the magic number");
    check((s->eflags & 0x20200) == 0, "EFLAGS: IF and VM are clear");
    check((s->cr0 & 0x80000001) == 1, "CR0: PE is set, PG clear");
    check(s->limits == 0xffffffff, "every segment has 4 GiB");
    check(s->zero, "what the file does not have is zero");
    check(initialised == 0x12345678 && zeroed[699] == 0, "data is there");
    volatile u32 *low = at(0x8100), *high = at(0x108100);
    u32 keep = *high;
    *low = 0x11111111;
    *high = 0x22222222;
    check(*low == 0x11111111, "address line 20 passes");
    *high = keep;
    information(s->ebx);
    text(failures ? "MULTIBOOT-BAD\n" : "MULTIBOOT-OK\n");
    outb(0xf4, failures ? 0x11 : 0x10);
}
