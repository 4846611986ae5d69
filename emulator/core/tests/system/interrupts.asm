; When interrupts are taken: the shadow of STI and MOV SS, HLT, the 8259A's request and its acknowledgement, NMIs and what
; blocks them, which pages the TLB still believes in (SDM 3A 6.7, 6.8.3, 4.10.4; 82C59A).
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
gdt_end:

APIC            equ 0xc00000            ; through PD[6]
TABLE           equ 0x23000
PAGED           equ 0x800000            ; through TABLE[0]
LARGE           equ 0x0a00000           ; PD[5]

; A request of IRQ 0, waiting: the timer's channel 0 counts down once.
%macro request 0
        mov     al, 0x30
        out     0x43, al
        mov     al, 20
        out     0x40, al
        xor     al, al
        out     0x40, al
%%wait: mov     al, 0x0a
        out     0x20, al
        in      al, 0x20
        test    al, 1
        jz      %%wait
%endmacro
%macro acknowledge 0
        mov     al, 0x20
        out     0x20, al
%endmacro
%macro nmi_self 0
        mov     dword [APIC + 0x310], 0         ; APIC ID 0
        mov     dword [APIC + 0x300], 0x4400
%endmacro

bits 16
main:   enter_long
bits 64
        mov     dword [PD + 6 * 8], 0xfee00000 | 0x93
        mov     dword [PD + 6 * 8 + 4], 0
        mov     rax, cr3
        mov     cr3, rax
        mov     dword [APIC + 0xf0], 0x1ff      ; software enabled
        mov     dword [APIC + 0x350], 0x700     ; LINT0: ExtINT
        mov     al, 0x11
        out     0x20, al
        mov     al, 0x40
        out     0x21, al
        mov     al, 4
        out     0x21, al
        mov     al, 1
        out     0x21, al
        mov     al, 0xfe
        out     0x21, al

        ; --- STI (SDM 2B STI)
        request
        xor     ebx, ebx
        catch   .sti
        sti
.sti_at:
        inc     ebx
        inc     ebx
        inc     ebx
.sti:   cli
        expect  dword [caught_vector], 0x40, "SDM 2B STI: the interrupt that waited"
        expect  ebx, 1, "SDM 2B STI: one instruction is executed before it"
        expect  dword [caught_rip], .sti_at + 2, "SDM 2B STI: its RIP"
        acknowledge
        request
        catch   .sti_cli
        sti
        cli
        nop
        nop
.sti_cli:
        expect  dword [caught_vector], 0xff, "SDM 2B STI: STI and CLI let nothing in"
        ; --- MOV SS (SDM 3A 6.8.3)
        pushfq
        pop     rax
        or      eax, 0x200
        push    rax
        mov     ecx, DATA
        xor     ebx, ebx
        catch   .popf
        popfq
.popf_at:
        inc     ebx
.popf:  cli
        expect  ebx, 0, "SDM 2B POPF: an interrupt is taken at once"
        acknowledge
        request
        mov     ecx, DATA
        xor     ebx, ebx
        pushfq
        pop     rax
        or      eax, 0x200
        push    rax
        catch   .shadow
        mov     ss, ecx
        popfq
.shadow_at:
        inc     ebx
.shadow:
        cli
        expect  dword [caught_rip], .shadow_at, "SDM 3A 6.8.3: an interrupt waits for the instruction behind MOV SS, no longer"
        acknowledge
        request
        xor     ebx, ebx
        catch   .hlt
        sti
        hlt
        inc     ebx
.hlt:   cli
        expect  dword [caught_vector], 0x40, "SDM 2A HLT: STI, HLT with an interrupt waiting"
        acknowledge
        mov     al, 0x30
        out     0x43, al
        mov     al, 0xff
        out     0x40, al
        xor     al, al
        out     0x40, al
        catch   .halted
        sti
        hlt
.hlt_at:
        nop
.halted:
        cli
        expect  dword [caught_rip], .hlt_at, "SDM 2A HLT: an interrupt resumes behind it"
        acknowledge
        ; --- the 8259A through the guest
        request
        mov     al, 0x0b
        out     0x20, al
        in      al, 0x20
        movzx   ebx, al
        expect  ebx, 0, "82C59A: nothing in service before INTA"
        catch   .service
        sti
        nop
        nop
.service:
        cli
        mov     al, 0x0b
        out     0x20, al
        in      al, 0x20
        movzx   ebx, al
        expect  ebx, 1, "82C59A: in service until the end of interrupt"
        request
        catch   .nested
        sti
        nop
        nop
        nop
.nested:
        cli
        expect  dword [caught_vector], 0xff, "82C59A: no second request of the level in service"
        acknowledge
        catch   .after
        sti
        nop
        nop
.after: cli
        expect  dword [caught_vector], 0x40, "82C59A: it comes behind the end of interrupt"
        acknowledge
        ; --- NMI (SDM 3A 6.7)
        mov     dword [nmi_count], 0
        mov     eax, nmi
        mov     [idt + 2 * 16], ax
        shr     eax, 16
        mov     [idt + 2 * 16 + 6], ax
        nmi_self
        nop
        nop
        expect  dword [nmi_count], 1, "SDM 3A 6.7: an NMI is taken with IF = 0"
        mov     dword [nmi_count], 0
        mov     dword [nmi_again], 1
        nmi_self
        nop
        nop
        expect  dword [nmi_depth], 1, "SDM 3A 6.7.1: no NMI inside the handler of one"
        expect  dword [nmi_count], 2, "SDM 3A 6.7.1: it is taken behind IRET"
        ; --- what is cached stays until it is invalidated (SDM 3A 4.10.4)
        mov     qword [PD + 4 * 8], TABLE | 7
        mov     qword [TABLE], 0x90000 | 7
        mov     dword [0x90000], 0x90909090
        mov     dword [0x91000], 0x91919191
        mov     rax, cr3
        mov     cr3, rax
        expect  dword [PAGED], 0x90909090, "SDM 3A 4.5: the page"
        mov     qword [TABLE], 0x91000 | 7
        invlpg  [PAGED + 0x1000]
        expect  dword [PAGED], 0x90909090, "SDM 3A 4.10.4.3: another page's INVLPG leaves it"
        invlpg  [PAGED + 0xfff]
        expect  dword [PAGED], 0x91919191, "SDM 3A 4.10.4.1: INVLPG of any byte of the page"
        ; a large page: one INVLPG for all of it
        mov     qword [PD + 5 * 8], 0x000000 | 0x87
        mov     rax, cr3
        mov     cr3, rax
        mov     eax, [LARGE + 0x90000]
        mov     ebx, [LARGE + 0x91000]
        mov     qword [PD + 5 * 8], TABLE | 7
        mov     qword [TABLE + 0x90 * 8], 0x91000 | 7
        mov     qword [TABLE + 0x91 * 8], 0x90000 | 7
        invlpg  [LARGE]
        expect  dword [LARGE + 0x90000], 0x91919191, "SDM 3A 4.10.4.1: INVLPG drops all of a large page"
        expect  dword [LARGE + 0x91000], 0x90909090, "SDM 3A 4.10.4.1: and every part of it"
        ; global pages and MOV CR3
        mov     rax, cr4
        or      eax, 0x80
        mov     cr4, rax
        mov     qword [TABLE], 0x90000 | 0x107
        invlpg  [PAGED]
        mov     eax, [PAGED]
        mov     qword [TABLE], 0x91000 | 0x107
        mov     rax, cr3
        mov     cr3, rax
        expect  dword [PAGED], 0x90909090, "SDM 3A 4.10.2.4: MOV CR3 leaves global pages"
        mov     rax, cr4
        and     eax, ~0x80
        mov     cr4, rax
        expect  dword [PAGED], 0x91919191, "SDM 3A 4.10.4.1: changing CR4.PGE invalidates them"
        ; accessed and dirty
        mov     qword [TABLE], 0x90000 | 7
        invlpg  [PAGED]
        mov     eax, [PAGED]
        mov     eax, [TABLE]
        and     eax, 0x60
        expect  eax, 0x20, "SDM 3A 4.8: a read sets A"
        mov     [PAGED], eax
        mov     eax, [TABLE]
        and     eax, 0x60
        expect  eax, 0x60, "SDM 3A 4.8: a write sets D, also where the page was cached"
        and     dword [TABLE], ~0x60
        invlpg  [PAGED]
        mov     eax, 0
        lock cmpxchg [PAGED + 8], eax
        mov     eax, [TABLE]
        and     eax, 0x60
        expect  eax, 0x60, "SDM 3A 4.8: a locked access writes, whatever it finds"
        finish

nmi:    inc     dword [nmi_count]
        inc     dword [nmi_inside]
        mov     eax, [nmi_inside]
        cmp     eax, [nmi_depth]
        jbe     .deep
        mov     [nmi_depth], eax
.deep:  cmp     dword [nmi_again], 0
        je      .end
        mov     dword [nmi_again], 0
        nmi_self
        nop
        nop
        nop
.end:   dec     dword [nmi_inside]
        iretq

        align   8
nmi_count:      dd 0
nmi_inside:     dd 0
nmi_depth:      dd 0
nmi_again:      dd 0
