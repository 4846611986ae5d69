; The local APIC as a guest sees it: the transitions of IA32_APIC_BASE, what is left of it when it is off, CR8, IPIs to
; oneself, NMIs that meet, the timer's modes, TMR, what is taken first (SDM 3A chapter 10 of 2016, 6.7, 6.9).
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
%include "takers.inc"
gdt_end:

APIC            equ 0xc00000            ; FEE00000h through PD[6]
ELSEWHERE       equ 0xe00000            ; FED40000h through PD[7]: a 2 MiB page that begins at FEC00000h
IOAPIC          equ 0xe00000
MOVED           equ ELSEWHERE + 0x140000
BASE            equ 0x1b
DEADLINE        equ 0x6e0

; writes IA32_APIC_BASE: low half, high half
%macro base 2
        msr_write BASE, %2, %1
%endmacro
; the same raises #GP
%macro base_refused 3
        catch   %%after
        mov     ecx, BASE
        mov     eax, %1
        mov     edx, %2
        wrmsr
%%after:
        expect  dword [caught_vector], 13, %3
%endmacro
%macro base_taken 2
        catch   %%after
        mov     ecx, BASE
        mov     eax, %1
        xor     edx, edx
        wrmsr
%%after:
        expect  dword [caught_vector], 0xff, %2
%endmacro
%macro self_ipi 1
        mov     dword [APIC + 0x300], 0x44000 | %1
%endmacro
%macro nmi_self 0
        mov     dword [APIC + 0x310], 0
        mov     dword [APIC + 0x300], 0x4400
%endmacro
%macro count_before 1                   ; EAX = current count; waits until it is at most %1
%%more: mov     eax, [APIC + 0x390]
        cmp     eax, %1
        ja      %%more
%endmacro

bits 16
main:   enter_long
bits 64
        mov     dword [PD + 6 * 8], 0xfee00000 | 0x93
        mov     dword [PD + 7 * 8], 0xfec00000 | 0x93
        mov     rax, cr3
        mov     cr3, rax
        mov     al, 0xff                ; the 8259s are silent
        out     0x21, al
        out     0xa1, al

        ; --- on and off (10.4.3, 10.4.4, figure 10-24)
        mov     ecx, BASE
        rdmsr
        expect  eax, 0xfee00900, "SDM 3A 10.4.4: after power-up enabled, at its place, bootstrap processor"
        mov     eax, [APIC + 0x30]
        movzx   ebx, al
        sub     ebx, 0x10
        cmp     ebx, 6
        setb    bl
        movzx   ebx, bl
        expect  ebx, 1, "SDM 3A 10.4.8: version 10h to 15h"
        mov     r12d, [APIC + 0x30]
        base_refused 0xfee00500, 0, "SDM 3A 10.12.5: x2APIC without enable"
        base_refused 0xfee00901, 0, "SDM 3A 10.4.4: a reserved low bit"
        base_refused 0xfee00900, 0x80000000, "SDM 3A 10.4.4: beyond the physical addresses"
        base_taken 0xfee00900, "SDM 3A 10.4.4: what it has already"
        mov     dword [APIC + 0xf0], 0x1ff
        mov     dword [APIC + 0x80], 0x20
%ifndef STAYS_ON                        ; with it for emulators that cannot switch it on again
        base    0xfee00100, 0
        mov     eax, 1
        cpuid
        shr     edx, 9
        and     edx, 1
        expect  edx, 0, "SDM 3A 10.4.3: off, CPUID has no APIC"
        expect  dword [APIC + 0x30], 0xffffffff, "SDM 3A 10.4.3: off, nothing is at its page"
        mov     edi, APIC
        mov     ecx, 0x1000
        mov     al, 0xff
        rep     stosb
        expect  dword [APIC + 0x80], 0xffffffff, "SDM 3A 10.4.3: and it takes no writes"
        mov     rax, cr8
        mov     rbx, rax
        xor     rbx, 15
        mov     cr8, rbx
        mov     rcx, cr8
        xor     ecx, ebx
        expect  ecx, 0, "SDM 3A 10.8.6: CR8 keeps what is written, off as well"
        xor     eax, eax
        mov     cr8, rax
        base_refused 0xfee00d00, 0, "SDM 3A 10.12.5: from off to x2APIC"
        base_refused 0xfee00500, 0, "SDM 3A 10.12.5: from off to the state that is not there"
        base_taken 0xfee00900, "SDM 3A 10.12.5: from off to xAPIC"
        mov     eax, 1
        cpuid
        shr     edx, 9
        and     edx, 1
        expect  edx, 1, "SDM 3A 10.4.3: CPUID has an APIC again"
        mov     eax, [APIC + 0x30]
        xor     eax, r12d
        mov     ebx, eax
        expect  ebx, 0, "SDM 3A 10.4.3: its version is there again"
        expect  dword [APIC + 0xf0], 0xff, "SDM 3A 10.4.3: it is as after a reset: SVR"
        expect  dword [APIC + 0x80], 0, "SDM 3A 10.4.3: TPR"
        expect  dword [APIC + 0x350], 0x10000, "SDM 3A 10.4.7.1: LINT0"
%endif
        ; --- CR8 and TPR (10.8.6)
        mov     eax, 15
        mov     cr8, rax
        expect  dword [APIC + 0x80], 0xf0, "SDM 3A 10.8.6: CR8 is the upper half of TPR, the lower is cleared"
        mov     dword [APIC + 0x80], 0x3c
        mov     rbx, cr8
        expect  ebx, 3, "SDM 3A 10.8.6: and TPR shows in CR8"
        faults  13, 0, "SDM 3A 10.8.6: reserved bits of CR8", {mov cr8, rsp}
        xor     eax, eax
        mov     cr8, rax
        ; --- another place (10.4.5)
        base    0xfed40900, 0
        mov     eax, [MOVED + 0x30]
        xor     eax, r12d
        mov     ebx, eax
        expect  ebx, 0, "SDM 3A 10.4.5: moved"
        base    0xfee00900, 0
        ; --- own interrupts
        mov     dword [APIC + 0xf0], 0x1ff
        takers_open
        mov     eax, nmi
        mov     [idt + 2 * 16], ax
        shr     eax, 16
        mov     [idt + 2 * 16 + 6], ax
        forget_taken
        sti
        self_ipi 0x41
        nop
        cli
        order   0x41, 1, "SDM 3A 10.6.1: an IPI to oneself"
        expect  dword [APIC + 0x300], 0x44041, "SDM 3A 10.6.1: ICR, idle"
        forget_taken
        mov     dword [APIC + 0x300], 0x40042   ; without "assert"
        sti
        nop
        cli
        order   0x42, 1, "SDM 3A 10.6.1: level is of INIT alone"
        ; the highest first, both behind the STI, at one address (10.8.3, 6.9)
        forget_taken
        self_ipi 0x38
        self_ipi 0x4a
        self_ipi 0x4b
        sti
        nop
.two:   cli
        order   0x384a4b, 3, "SDM 3A 10.8.4: by priority"
        ; an INT n in the shadow goes first (6.8.1)
        forget_taken
        self_ipi 0x38
        sti
        int     0x4c                    ; taken in the shadow of STI
        nop
        cli
        order   0x384c, 2, "SDM 3A 6.8.1: INT n in the shadow of STI, then the interrupt"
        ; TPR (10.8.3.1)
        forget_taken
        mov     dword [APIC + 0x80], 0xf0
        sti
        self_ipi 0x38
        self_ipi 0x48
        nop
        cli
        order   0, 0, "SDM 3A 10.8.3.1: TPR F0h lets nothing through"
        sti
        mov     dword [APIC + 0x80], 0x30
        nop
        cli
        order   0x48, 1, "SDM 3A 10.8.3.1: 30h lets 48h through, 38h not"
        sti
        xor     eax, eax
        mov     cr8, rax
        nop
        cli
        order   0x3848, 2, "SDM 3A 10.8.6: MOV CR8 lets the other through"
        ; IRR, TMR (10.8.4)
        self_ipi 0x45
        expect  dword [APIC + 0x220], 0x20, "SDM 3A 10.8.4: IRR of one that waits"
        expect  dword [APIC + 0x1a0], 0, "SDM 3A 10.8.4: TMR of an edge"
        forget_taken
        self_ipi 0x45
        sti
        nop
        cli
        order   0x45, 1, "SDM 3A 10.8.4: two of a vector that wait are one"
        ; --- errors (10.5.3)
        mov     dword [APIC + 0x280], 0
        self_ipi 5
        mov     dword [APIC + 0x280], 0
        mov     ebx, [APIC + 0x280]
        and     ebx, 0x20
        expect  ebx, 0x20, "SDM 3A 10.5.3: a vector that may not be sent"
        mov     dword [APIC + 0x280], 0
        expect  dword [APIC + 0x280], 0, "SDM 3A 10.5.3: each write shows what came since the last"
        ; --- the spurious vector's register (10.9, 10.4.7.2)
        mov     dword [APIC + 0x340], 0x40
        mov     dword [APIC + 0xf0], 0xff
        expect  dword [APIC + 0x340], 0x10040, "SDM 3A 10.4.7.2: software-disabled, every local interrupt is masked"
        mov     dword [APIC + 0x340], 0x40
        expect  dword [APIC + 0x340], 0x10040, "SDM 3A 10.4.7.2: and stays so"
        mov     dword [APIC + 0xf0], 0x1ff
        expect  dword [APIC + 0x340], 0x10040, "SDM 3A 10.4.7.2: also when it is enabled again"
        ; --- NMI (6.7.1)
        mov     dword [nmi_more], 10
        nmi_self
        nop
        nop
        expect  dword [nmi_count], 2, "SDM 3A 6.7.1: of ten NMIs that come inside a handler one is kept"
        expect  dword [nmi_deep], 1, "SDM 3A 6.7.1: and none nests"
        mov     dword [nmi_count], 0
        nmi_self
        nop
        expect  dword [nmi_count], 1, "SDM 3A 6.7.1: and then one is one again"
        ; what waits behind it comes where IRET returns to, not at the IRET
        mov     dword [nmi_count], 0
        mov     dword [nmi_more], 1
        nmi_self
.after_nmi:
        nop
        mov     eax, [nmi_rip]
        sub     eax, .after_nmi
        cmp     eax, 2
        setb    bl
        movzx   ebx, bl
        expect  ebx, 1, "SDM 3A 6.7.1: the one kept is taken where IRET has returned to"
        ; an interrupt and an NMI at once (6.9)
        mov     dword [nmi_count], 0
        forget_taken
        self_ipi 0x39
        nmi_self
        sti
        nop
        cli
        order   0x39, 1, "SDM 3A 6.9: an interrupt that waited"
        expect  dword [nmi_count], 1, "SDM 3A 6.9: and the NMI"
        ; --- the timer (10.5.4)
        mov     dword [APIC + 0x3e0], 0xb
        mov     dword [APIC + 0x320], 0x43
        forget_taken
        sti
        rdtsc
        mov     ebx, eax
        mov     dword [APIC + 0x380], 0x10000
.one:   cmp     dword [taken_count], 0
        je      .one
        rdtsc
        cli
        sub     eax, ebx
        mov     ebx, eax
        shr     ebx, 16
        cmp     ebx, 1
        setae   bl
        movzx   ebx, bl
        expect  ebx, 1, "SDM 3A 10.5.4: one-shot, not before its count"
        order   0x43, 1, "SDM 3A 10.5.4: one-shot"
        expect  dword [APIC + 0x390], 0, "SDM 3A 10.5.4: and stops at 0"
        expect  dword [APIC + 0x380], 0x10000, "SDM 3A 10.5.4: the initial count stays"
        mov     dword [APIC + 0x320], 0x10043
        mov     dword [APIC + 0x380], 0x20000
        count_before 0x10000
        mov     dword [APIC + 0x320], 0x30043
        mov     ebx, [APIC + 0x390]
        cmp     ebx, 0x10000
        setbe   bl
        movzx   ebx, bl
        expect  ebx, 1, "SDM 3A 10.5.4: from one-shot to periodic the count goes on"
        expect  dword [APIC + 0x380], 0x20000, "SDM 3A 10.5.4: the initial count as well"
.wrap:  mov     eax, [APIC + 0x390]
        cmp     eax, 0x10000
        jbe     .wrap
        cmp     eax, 0x20000
        setbe   bl
        movzx   ebx, bl
        expect  ebx, 1, "SDM 3A 10.5.4: periodic, from the initial count again"
        count_before 0x10000
        mov     dword [APIC + 0x320], 0x10043
        mov     ebx, [APIC + 0x390]
        cmp     ebx, 0x10000
        setbe   bl
        movzx   ebx, bl
        expect  ebx, 1, "SDM 3A 10.5.4: and back the count goes on"
        count_before 0
        mov     dword [APIC + 0x320], 0x30043
        expect  dword [APIC + 0x390], 0, "SDM 3A 10.5.4: one that has run out does not begin again"
        mov     dword [APIC + 0x320], 0x10000
        ; TSC-deadline (10.5.4.1), where there is one
        mov     eax, 1
        cpuid
        test    ecx, 1 << 24
        jz      .no_deadline
%assign before checks
        mov     dword [APIC + 0x320], 0x40044
        mfence
        forget_taken
        sti
        rdtsc
        mov     ecx, DEADLINE
        wrmsr
        nop
        cli
        order   0x44, 1, "SDM 3A 10.5.4.1: a deadline that is now"
        mov     ecx, DEADLINE
        rdmsr
        or      eax, edx
        mov     ebx, eax
        expect  ebx, 0, "SDM 3A 10.5.4.1: and it is disarmed"
        forget_taken
        sti
        rdtsc
        add     eax, 20000
        adc     edx, 0
        mov     ecx, DEADLINE
        wrmsr
        rdtsc
        add     eax, 40000
        adc     edx, 0
        wrmsr                           ; the later one counts
        mov     ebx, eax
.far:   rdtsc
        cmp     dword [taken_count], 0
        je      .far
        cli
        sub     eax, ebx
        shr     eax, 31
        mov     ebx, eax
        expect  ebx, 0, "SDM 3A 10.5.4.1: armed again it is the new deadline that counts"
        order   0x44, 1, "SDM 3A 10.5.4.1: once"
        mov     dword [APIC + 0x380], 1000
        expect  dword [APIC + 0x380], 0, "SDM 3A 10.5.4.1: the initial count is ignored"
        jmp     .deadline_done
.no_deadline:
        add     dword [check_done], checks - before
.deadline_done:
        mov     dword [APIC + 0x320], 0x10000
        ; --- x2APIC (10.12)
        mov     eax, 1
        cpuid
        bt      ecx, 21
        jnc     .no_x2
%assign before checks
        mov     dword [APIC + 0x80], 0x50
        base_taken 0xfee00d00, "SDM 3A 10.12.5: from xAPIC to x2APIC"
        mov     dword [x2], 1
        expect  dword [APIC + 0x30], 0xffffffff, "SDM 3A 10.12.2: its page is gone"
        mov     ecx, 0x808
        rdmsr
        mov     ebx, eax
        expect  ebx, 0x50, "SDM 3A 10.12.5.1: TPR is kept"
        xor     eax, eax
        mov     cr8, rax
        mov     ecx, 0x803
        rdmsr
        xor     eax, r12d
        mov     ebx, eax
        expect  ebx, 0, "SDM 3A 10.12.1.2: version"
        mov     eax, 0xb
        cpuid
        mov     ebx, edx
        mov     ecx, 0x802
        rdmsr
        xor     ebx, eax
        expect  ebx, 0, "SDM 3A 10.12.3: the ID is that of CPUID 0Bh"
        faults  13, 0, "SDM 3A 10.12.1.2: the ID cannot be written", {wrmsr}
        mov     ecx, 0x80d
        rdmsr
        mov     ebx, eax
        expect  ebx, 1, "SDM 3A 10.12.10.2: the logical ID comes from the ID"
        forget_taken
        sti
        msr_write 0x83f, 0, 0x46
        nop
        cli
        order   0x46, 1, "SDM 3A 10.12.11: SELF IPI"
        forget_taken
        sti
        msr_write 0x830, 0, 0x40047
        nop
        cli
        order   0x47, 1, "SDM 3A 10.12.9: ICR, shorthand self"
        forget_taken
        sti
        msr_write 0x830, 0xffffffff, 0x4048
        nop
        cli
        order   0x48, 1, "SDM 3A 10.12.9: FFFFFFFFh is everybody"
        mov     ecx, 0x83f
        faults  13, 0, "SDM 3A 10.12.11: SELF IPI cannot be read", {rdmsr}
        mov     ecx, 0x80e
        faults  13, 0, "SDM 3A 10.12.1.2: DFR is not there", {rdmsr}
        mov     ecx, 0x831
        faults  13, 0, "SDM 3A 10.12.1.2: nor the upper half of ICR", {rdmsr}
        mov     ecx, 0x80b
        mov     eax, 1
        xor     edx, edx
        faults  13, 0, "SDM 3A 10.12.1.2: EOI takes 0 only", {wrmsr}
        base_refused 0xfee00500, 0, "SDM 3A 10.12.5: from x2APIC to the state that is not there"
        base_refused 0xfee00900, 0, "SDM 3A 10.12.5: from x2APIC to xAPIC"
%ifndef STAYS_ON
        base_taken 0xfee00100, "SDM 3A 10.12.5: from x2APIC to off"
        base_refused 0xfee00d00, 0, "SDM 3A 10.12.5: and from there not back at once"
        base_taken 0xfee00900, "SDM 3A 10.12.5: but to xAPIC"
        mov     ecx, 0x808
        faults  13, 0, "SDM 3A 10.12.2: the MSRs are of x2APIC mode only", {rdmsr}
%endif
        jmp     .end
.no_x2: add     dword [check_done], checks - before
.end:   finish

; 30h-4Fh: the vector is noted and the interrupt ended
        takers
take:   xchg    rax, [rsp]
        push    rcx
        push    rdx
        note_taken
        cmp     al, 0x4c                ; that is INT n
        je      .end
        cmp     dword [x2], 0
        jne     .x2
        mov     dword [APIC + 0xb0], 0
        jmp     .end
.x2:    mov     ecx, 0x80b
        xor     eax, eax
        xor     edx, edx
        wrmsr
.end:   pop     rdx
        pop     rcx
        pop     rax
        iretq

nmi:    push    rax
        mov     rax, [rsp + 8]
        mov     [nmi_rip], eax
        inc     dword [nmi_count]
        inc     dword [nmi_inside]
        mov     eax, [nmi_inside]
        cmp     eax, [nmi_deep]
        jbe     .more
        mov     [nmi_deep], eax
.more:  cmp     dword [nmi_more], 0
        je      .end
        dec     dword [nmi_more]
        nmi_self
        jmp     .more
.end:   dec     dword [nmi_inside]
        pop     rax
        iretq

        takers_data
x2:             dd 0
nmi_count:      dd 0
nmi_inside:     dd 0
nmi_deep:       dd 0
nmi_more:       dd 0
nmi_rip:        dd 0
