; Five-level paging (SDM 3A 4.1.1, 4.5): how it is entered, the fifth level, canonical addresses of 57 bits.
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
COMPAT          equ $ - gdt
        descriptor 0, 0xfffff, 0xc09a
gdt_end:

PML5            equ 0x23000
PML4B           equ 0x24000             ; of PML5[1]
PDPTB           equ 0x25000
PDB             equ 0x26000
TABLEB          equ 0x27000
HIGH1           equ 0x0001000000000000  ; first address of PML5[1]
LAST            equ 0x00ffffffffffffff  ; last address of the lower half
BEYOND          equ 0x0100000000000000
UPPER           equ 0xff00000000000000

bits 16
main:   enter_long
bits 64
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        shr     ecx, 16
        and     ecx, 1
        expect  ecx, 1, "SDM 2A CPUID: LA57"
        mov     eax, 0x80000008
        cpuid
        movzx   eax, ah
        expect  eax, 57, "SDM 2A CPUID: 57 bits of linear address"

        ; --- with four levels: 57 bits do for bases and MSRs, 48 for addresses (SDM 3A 4.5.2)
        mov     rax, cr4
        or      eax, 0x1000
        faults  13, 0, "SDM 2B MOV CR: CR4.LA57 cannot change in IA-32e mode", {mov cr4, rax}
        mov     rbx, HIGH1
        faults  13, 0, "SDM 1 3.3.7.1: 57 bits are not canonical with four levels", {mov eax, [rbx]}
        mov     ecx, 0xc0000082
        mov     edx, LAST >> 32
        mov     eax, LAST & 0xffffffff
        runs    "SDM 3A 4.5.2: WRMSR of an LSTAR of 57 bits", {wrmsr}
        mov     edx, BEYOND >> 32
        faults  13, 0, "SDM 3A 4.5.2: WRMSR of an LSTAR beyond 57 bits", {wrmsr}
        mov     word [table], 0x7f
        mov     rax, HIGH1
        mov     [table + 2], rax
        sidt    [saved]
        runs    "SDM 3A 4.5.2: LIDT of a base of 57 bits", {lidt [table]}
        lidt    [saved]
        mov     rax, BEYOND
        mov     [table + 2], rax
        faults  13, 0, "SDM 3A 4.5.2: LIDT of a base beyond 57 bits", {lidt [table]}
        cr4_set 0x10000
        mov     rbx, HIGH1
        faults  13, 0, "WRGSBASE goes by the paging mode", {wrgsbase rbx}

        ; --- to five levels: out of long mode, set LA57, and back
        mov     edi, PML5
        xor     eax, eax
        mov     ecx, 0x5000 / 8
        rep     stosq
        mov     dword [PML5], PML4 | 7
        mov     dword [PML5 + 8], PML4B | 7
        mov     dword [PML4B], PDPTB | 7
        mov     dword [PDPTB], PDB | 7
        mov     dword [PDB], TABLEB | 7
        mov     dword [TABLEB], 0x90000 | 7
        mov     dword [TABLEB + 8], 0x91000 | 7
        mov     dword [PML5 + 511 * 8], PML4B | 7
        mov     dword [0x90000], 0x57575757
        jmp     far dword [compatibility]
bits 32
.compatibility:
        mov     eax, DATA
        mov     ss, eax
        mov     eax, cr0
        and     eax, ~0x80000000
        mov     cr0, eax
        mov     eax, cr4
        or      eax, 0x1000
        mov     cr4, eax
        mov     eax, PML5
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 0x80000000
        mov     cr0, eax
        jmp     CODE:.five
bits 64
.five:  mov     rax, cr4
        shr     eax, 12
        and     eax, 1
        expect  eax, 1, "SDM 3A 4.5: five levels are on"
        mov     rbx, HIGH1
        expect  dword [rbx], 0x57575757, "SDM 3A 4.5: a page through PML5[1]"
        mov     rbx, UPPER | (511 << 48)
        expect  dword [rbx], 0x57575757, "SDM 3A 4.5: a page of the upper half"
        mov     eax, [PML5 + 8]
        and     eax, 0x20
        expect  eax, 0x20, "SDM 3A 4.8: the PML5E was accessed"
        mov     rbx, LAST
        inc     rbx
        faults  13, 0, "SDM 1 3.3.7.1: 58 bits are not canonical", {mov eax, [rbx]}
        faults  13, 0, "SDM 1 3.3.7.1: an access that leaves the canonical half", {mov eax, [rbx - 2]}
        mov     rbx, LAST - 7
        catch   .hole
.hole_at:
        mov     eax, [rbx]
.hole:  check_fault 14, 0, .hole_at, "SDM 3A 4.7: PML5E not present"
        expectq [caught_cr2], LAST - 7, "SDM 3A 4.7: CR2 of 57 bits"
        faults  13, 0, "SDM 2A JMP: target of 58 bits", {jmp [beyond]}
        mov     dword [PML5 + 8], PML4B | 5
        mov     rbx, cr3
        mov     cr3, rbx
        mov     rax, cr0
        or      eax, 0x10000
        mov     cr0, rax
        mov     rbx, HIGH1 + 8
        faults  14, 3, "SDM 3A 4.6: read-only by the PML5E", {mov [rbx], eax}
        mov     dword [PML5 + 8], PML4B | 0x87
        mov     rax, cr3
        mov     cr3, rax
        faults  14, 9, "SDM 3A table 4-15: PS of a PML5E is reserved", {mov eax, [rbx]}
        mov     dword [PML5 + 8], PML4B | 7
        mov     dword [TABLEB], 0x91000 | 7
        mov     rax, cr3
        mov     cr3, rax
        mov     rbx, HIGH1
        mov     eax, [rbx]
        mov     dword [TABLEB], 0x90000 | 7
        invlpg  [rbx]
        expect  dword [rbx], 0x57575757, "SDM 3A 4.10.4: INVLPG of an address of 57 bits"
        mov     rbx, HIGH1
        runs    "SDM 2B WRGSBASE: 57 bits with five levels", {wrgsbase rbx}
        mov     rax, cr4
        and     eax, ~0x1000
        faults  13, 0, "SDM 2B MOV CR: CR4.LA57 cannot be cleared in IA-32e mode", {mov cr4, rax}
        mov     rcx, HIGH1
        mov     dword [PML5 + 8], PML4B | 7
        mov     r11, 2
        mov     word [0x90000], 0x30cd
        user_gate 0x30
        msr_write 0xc0000081, ((USER_CODE32 & 0xfffc) | 3) << 16 | CODE, 0
        mov     rax, cr3
        mov     cr3, rax
        mov     rcx, HIGH1
        catch   .sysret
        o64 sysret
.sysret:
        expect  dword [caught_vector], 0x30, "SDM 2B SYSRET: to an address of 57 bits"
        expectq [caught_rip], HIGH1 + 2, "SDM 2B SYSRET: its RIP"
        mov     rcx, BEYOND
        faults  13, 0, "SDM 2B SYSRET: RCX of 58 bits", {o64 sysret}
        finish

        align   16
compatibility:
        dd      main.compatibility
        dw      COMPAT
        align   8
beyond: dq      BEYOND
table:  dw      0, 0, 0, 0, 0, 0, 0, 0
saved:  dw      0, 0, 0, 0, 0, 0, 0, 0
