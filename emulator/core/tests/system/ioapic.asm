; The I/O APIC as a guest sees it, its inputs driven by the test device (ports 2000h and up, chipset/test-device.ts; QEMU: -device
; pc-testdev): registers, edges and levels, masks, remote IRR, TMR, destinations (82093AA 3; SDM 3A 10.8.4, 10.8.5 of 2016).
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
%include "takers.inc"
gdt_end:

APIC            equ 0xc00000            ; FEE00000h through PD[6]
IOAPIC          equ 0xe00000            ; FEC00000h through PD[7]
LINE            equ 0x200e
EDGE            equ 0
LEVEL           equ 0x8000
MASKED          equ 0x10000
REMOTE_IRR      equ 0x4000
ENTRY           equ 0x10 + 14 * 2

%macro io_write 2                       ; register, value; clobbers nothing
        mov     dword [IOAPIC], %1
        mov     dword [IOAPIC + 0x10], %2
%endmacro
%macro io_read 1                        ; to EBX
        mov     dword [IOAPIC], %1
        mov     ebx, [IOAPIC + 0x10]
%endmacro
%macro redirect 1-2 0                   ; line 14: low half, high half
        io_write ENTRY, %1
        io_write ENTRY + 1, %2
%endmacro
%macro line 1
        mov     edx, LINE
        mov     al, %1
        out     dx, al
%endmacro
%macro forget 0
        forget_taken
        mov     dword [act], nothing
%endmacro
%macro meanwhile 1                      ; what the handler does before its EOI
        mov     dword [act], %1
%endmacro

bits 16
main:   enter_long
bits 64
        mov     dword [PD + 6 * 8], 0xfee00000 | 0x93
        mov     dword [PD + 7 * 8], 0xfec00000 | 0x93
        mov     rax, cr3
        mov     cr3, rax
        mov     al, 0xff
        out     0x21, al
        out     0xa1, al
        mov     dword [APIC + 0xf0], 0x1ff
        mov     dword [APIC + 0xd0], 0x01000000
        takers_open

        ; --- registers (3.2)
        io_read 1
        mov     r12d, ebx
        not     ebx
        mov     ecx, ebx
        io_write 1, ecx
        io_read 1
        xor     ebx, r12d
        expect  ebx, 0, "82093AA 3.2.2: the version is read-only"
        shr     r12d, 16
        and     r12d, 0xff
        expect  r12d, 23, "82093AA 3.2.2: 24 entries"
        io_read 0
        mov     r12d, ebx
        not     ebx
        mov     ecx, ebx
        io_write 0, ecx
        io_read 0
        xor     ebx, r12d
        expect  ebx, 0x0f000000, "82093AA 3.2.1: of the ID bits 24-27 are writable"
        io_write 0, 0x0f000000
        io_read 2
        expect  ebx, 0x0f000000, "82093AA 3.2.3: the arbitration ID follows the ID"
        io_write 2, 0
        io_read 2
        expect  ebx, 0x0f000000, "82093AA 3.2.3: and is read-only"
        io_write 0, 0
        io_read ENTRY
        expect  ebx, MASKED, "82093AA 3.2.4: an entry after power-up"

        ; --- edges
        sti
        forget
        redirect EDGE | 0x36
        line    1
        line    0
        nop
        order   0x36, 1, "82093AA 3.2.4: an edge"
        line    1
        nop
        line    1
        nop
        line    0
        nop
        order   0x3636, 2, "82093AA 3.2.4: no edge without a change"
        io_read ENTRY
        expect  ebx, 0x36, "82093AA 3.2.4: an edge leaves no remote IRR"
        forget
        redirect MASKED | EDGE | 0x36
        line    1
        line    0
        nop
        redirect EDGE | 0x36
        nop
        order   0, 0, "82093AA 3.2.4: an edge at a masked input is lost"
        line    1
        nop
        line    0
        order   0x36, 1, "82093AA 3.2.4: the next is not"
        ; two at once, the higher first, both where interrupts are let in
        forget
        redirect EDGE | 0x48
        io_write ENTRY + 2, EDGE | 0x36
        io_write ENTRY + 3, 0
        cli
        mov     edx, LINE + 1
        mov     al, 1
        out     dx, al
        xor     eax, eax
        out     dx, al
        line    1
        line    0
        sti
        nop
.both:  nop
        order   0x3648, 2, "SDM 3A 10.8.3: of two the higher first"
        io_write ENTRY + 2, MASKED

        ; --- levels
        forget
        meanwhile lower
        redirect LEVEL | 0x37
        line    1
        nop
        order   0x37, 1, "82093AA 3.2.4: a level"
        io_read ENTRY
        expect  ebx, LEVEL | 0x37, "82093AA 3.2.4: its remote IRR is cleared by the EOI"
        line    1
        line    1
        nop
        order   0x373737, 3, "82093AA 3.2.4: as often as the line rises"
        forget
        meanwhile again
        line    1
        nop
        order   0x37, 1, "82093AA 3.2.4: what the line does before the EOI does not count"
        forget
        meanwhile second
        cli
        line    1
        sti
        hlt
        nop
        order   0x3737, 2, "82093AA 3.2.4: high at the EOI it comes again"
        forget
        meanwhile look
        line    1
        nop
        mov     ebx, [seen]
        expect  ebx, LEVEL | REMOTE_IRR | 0x37, "82093AA 3.2.4: in service remote IRR is set"
        order   0x37, 1, "82093AA 3.2.4: once"
        ; masks
        forget
        meanwhile lower
        redirect MASKED | LEVEL | 0x37
        line    1
        nop
        order   0, 0, "82093AA 3.2.4: a level at a masked input waits"
        redirect LEVEL | 0x37
        nop
        order   0x37, 1, "82093AA 3.2.4: and comes when it is let in"
        forget
        meanwhile mask
        redirect LEVEL | 0x37
        line    1
        nop
        order   0x37, 1, "82093AA 3.2.4: masked in the handler, the line high: once"
        redirect LEVEL | 0x37
        nop
        order   0x3737, 2, "82093AA 3.2.4: let in again: again"
        line    0
        redirect LEVEL | 0x37
        nop
        order   0x3737, 2, "82093AA 3.2.4: the line is low"
        forget
        meanwhile turn
        line    1
        nop
        order   0x37, 1, "82093AA 3.2.4: a new destination before the EOI"
        io_read ENTRY
        expect  ebx, LEVEL | 0x37, "82093AA 3.2.4: the EOI is told by its vector alone"
        ; a level whose line falls before it is taken is taken all the same
        forget
        redirect LEVEL | 0x37
        cli
        line    1
        line    0
        sti
        nop
        order   0x37, 1, "82093AA 3.2.4: what has been sent is taken"

        ; --- TMR (SDM 3A 10.8.4)
        forget
        meanwhile trigger
        redirect EDGE | 0x39
        line    1
        line    0
        nop
        expect  dword [seen], 0, "SDM 3A 10.8.4: TMR of an edge"
        redirect LEVEL | 0x39
        line    1
        nop
        expect  dword [seen], 1 << 25, "SDM 3A 10.8.4: TMR of a level"
        mov     ebx, [APIC + 0x190]
        and     ebx, 1 << 25
        expect  ebx, 1 << 25, "SDM 3A 10.8.4: it stays"
        line    1
        nop
        redirect EDGE | 0x39
        line    1
        line    0
        nop
        expect  dword [seen], 0, "SDM 3A 10.8.4: until an edge with that vector comes"
        order   0x39393939, 4, "SDM 3A 10.8.4: all taken"

        ; --- destinations
        forget
        redirect EDGE | 0x3a, 0x01000000
        line    1
        line    0
        nop
        order   0, 0, "SDM 3A 10.6.2.1: the APIC with ID 1 is another"
        redirect EDGE | 0x3a, 0xff000000
        line    1
        line    0
        nop
        order   0x3a, 1, "SDM 3A 10.6.2.1: FFh is all"
        redirect EDGE | 0x800 | 0x3a, 0x03000000
        line    1
        line    0
        nop
        order   0x3a3a, 2, "SDM 3A 10.6.2.2: logical, flat"
        redirect EDGE | 0x800 | 0x3a, 0x02000000
        line    1
        line    0
        nop
        order   0x3a3a, 2, "SDM 3A 10.6.2.2: logical, not this one"
        redirect EDGE | 0x900 | 0x3a, 0x01000000
        line    1
        line    0
        nop
        order   0x3a3a3a, 3, "SDM 3A 10.6.2.4: lowest priority"
        ; --- active low
        forget
        redirect MASKED
        line    1
        redirect EDGE | 0x2000 | 0x3b
        nop
        line    0
        nop
        line    1
        nop
        order   0x3b, 1, "82093AA 3.2.4: active low, the falling edge"
        cli
        redirect MASKED
        line    0
        finish

        takers
take:   xchg    rax, [rsp]
        push    rbx
        push    rcx
        push    rdx
        note_taken
        mov     eax, [act]
        call    rax
        mov     dword [APIC + 0xb0], 0
        pop     rdx
        pop     rcx
        pop     rbx
        pop     rax
        iretq

lower:  line    0
nothing: ret
again:  line    0
        line    1
        line    0
        ret
second: cmp     dword [taken_count], 2
        jb      nothing
        jmp     lower
look:   io_read ENTRY
        mov     [seen], ebx
        jmp     lower
mask:   io_read ENTRY
        or      ebx, MASKED
        mov     ecx, ebx
        io_write ENTRY, ecx
        ret
turn:   line    0
        io_write ENTRY + 1, 0x01000000
        ret
trigger: mov    eax, [APIC + 0x190]
        and     eax, 1 << 25
        mov     [seen], eax
        jmp     lower

        takers_data
act:            dq nothing
seen:           dd 0
