; Four-level paging: rights over all levels, large pages, reserved bits, CR2 of 64 bits.
%include "harness.inc"
%include "long.inc"
gdt_end:

TABLE           equ 0x23000
PDPT_HIGH       equ 0x24000
PD_HIGH         equ 0x25000
PAGE            equ 0x90000
OTHER           equ 0x91000
VIRTUAL         equ 0x40600000          ; through PDPT[1], PD_HIGH[3], TABLE[0]

%macro check_fault 4                    ; error, CR2, RIP, text
        expect  dword [caught_vector], 14, {%4, ": #PF"}
        expect  dword [caught_error], %1, {%4, ": error code"}
        expectq [caught_cr2], %2, {%4, ": CR2"}
        expect  dword [caught_rip], %3, {%4, ": saved RIP"}
%endmacro

%macro faults 4                         ; error, CR2, text, instruction
        catch   %%after
%%at:   %4
%%after:
        check_fault %1, %2, %%at, %3
%endmacro

%macro user_faults 4
        catch   %%after
        to_user %%at, USER_CODE, 0x202
%%at:   %4
%%after:
        check_fault %1, %2, %%at, %3
%endmacro

%macro entry 3                          ; where, high half, low half
        mov     dword [%1], %3
        mov     dword [(%1) + 4], %2
        invlpg  [VIRTUAL]
%endmacro

bits 16
main:   enter_long
bits 64
        mov     rax, cr0
        or      eax, 0x10000
        mov     cr0, rax
        mov     dword [PAGE], 0x90909090
        mov     dword [OTHER], 0x91919191
        xor     eax, eax
        mov     edi, TABLE
        mov     ecx, 0x3000 / 8
        rep     stosq
        entry   PDPT + 8, 0, PD_HIGH | 7
        entry   PD_HIGH + 3 * 8, 0, TABLE | 7
        entry   TABLE, 0, PAGE | 7
        expect  dword [VIRTUAL], 0x90909090, "SDM 3A 4.5: four levels"

        ; the rights of all levels together (SDM 3A 4.6.1)
        entry   PD_HIGH + 3 * 8, 0, TABLE | 5
        faults  3, VIRTUAL + 4, "SDM 3A 4.6.1: read-only by the PDE", {mov [VIRTUAL + 4], eax}
        entry   PD_HIGH + 3 * 8, 0, TABLE | 3
        user_faults 5, VIRTUAL, "SDM 3A 4.6.1: supervisor by the PDE", {mov eax, [VIRTUAL]}
        entry   PD_HIGH + 3 * 8, 0x80000000, TABLE | 7
        catch   .nx
        mov     eax, VIRTUAL
        jmp     rax
.nx:    check_fault 0x11, VIRTUAL, VIRTUAL, "SDM 3A 4.6.1: execute-disable by the PDE"
        catch   .user_nx
        to_user VIRTUAL, USER_CODE, 0x202
.user_nx:
        check_fault 0x15, VIRTUAL, VIRTUAL, "SDM 3A 4.7: user fetch from an execute-disable page"
        entry   PD_HIGH + 3 * 8, 0, TABLE | 7

        ; not present at each level
        entry   TABLE, 0, 0
        faults  0, VIRTUAL, "SDM 3A 4.5: PTE not present", {mov eax, [VIRTUAL]}
        faults  0, VIRTUAL + 0x200000, "SDM 3A 4.5: PDE not present", {mov eax, [VIRTUAL + 0x200000]}
        mov     rbx, 0x1000000000
        faults  0, 0x1000000000, "SDM 3A 4.5: PDPTE not present", {mov eax, [rbx]}
        mov     rbx, 0xffff800000000123
        faults  0, 0xffff800000000123, "SDM 3A 4.5: PML4E not present; CR2 has 64 bits", {mov eax, [rbx]}
        faults  2, 0xffff800000000123, "SDM 3A 4.7: write", {mov [rbx], eax}

        ; reserved bits (SDM 3A 4.5, tables 4-15 to 4-20)
        entry   TABLE, 0x00080000, PAGE | 7
        faults  9, VIRTUAL, "SDM 3A 4.5: an address bit beyond MAXPHYADDR", {mov eax, [VIRTUAL]}
        entry   TABLE, 0x7ff00000, PAGE | 7
        expect  dword [VIRTUAL], 0x90909090, "SDM 3A 4.5: bits 62:52 are ignored"
        entry   PD_HIGH + 4 * 8, 0, 0x2087
        faults  9, VIRTUAL + 0x200000, "SDM 3A 4.5: bit 13 of a 2 MiB page", {mov eax, [VIRTUAL + 0x200000]}
        entry   PDPT + 16, 0, 0x2087
        mov     ebx, 0x80000000
        faults  9, 0x80000000, "SDM 3A 4.5: bit 13 of a 1 GiB page", {mov eax, [rbx]}
        entry   PML4 + 8, 0, PDPT_HIGH | 0x87
        mov     rbx, 0x8000000000
        faults  9, 0x8000000000, "SDM 3A 4.5: PS in a PML4E", {mov eax, [rbx]}

        ; large pages
        entry   PDPT + 16, 0, 0x87
        mov     ebx, 0x80000000 + PAGE
        invlpg  [rbx]
        expect  dword [rbx], 0x90909090, "SDM 3A 4.5: a 1 GiB page"
        mov     eax, [PDPT + 16]
        and     eax, 0x60
        expect  eax, 0x20, "SDM 3A 4.8: A in its PDPTE"
        mov     dword [rbx + 0x20], 1
        mov     eax, [PDPT + 16]
        and     eax, 0x60
        expect  eax, 0x60, "SDM 3A 4.8: D in its PDPTE"
        ; the higher half: PML4[511], PDPT_HIGH[510] = 1 GiB page at 0
        entry   PML4 + 511 * 8, 0, PDPT_HIGH | 7
        entry   PDPT_HIGH + 510 * 8, 0, 0x87
        mov     rbx, 0xffffffff80000000 + PAGE
        expect  dword [rbx], 0x90909090, "SDM 3A 4.5: the kernel's half"
        mov     rax, 0xffffffff80000000 + .high
        jmp     rax
.high:  lea     rbx, [rel .high]
        mov     [check_q], rbx
        mov     eax, .low
        jmp     rax
.low:   expect  dword [check_q + 4], 0xffffffff, "SDM 3A 4.5: code runs there"

        ; invalidation: one INVLPG for all of a large page (SDM 3A 4.10.4.1)
        mov     ebx, 0x80000000 + PAGE
        mov     eax, [rbx]
        mov     eax, [rbx + 0x1000]
        entry   PDPT + 16, 0, 0
        mov     ecx, 0x80000000
        invlpg  [rcx]
        faults  0, 0x80091000, "SDM 3A 4.10.4.1: INVLPG drops the whole large page", {mov eax, [rbx + 0x1000]}
        entry   TABLE, 0, PAGE | 7
        mov     eax, [VIRTUAL]
        mov     dword [TABLE], OTHER | 7
        invlpg  [VIRTUAL]
        expect  dword [VIRTUAL], 0x91919191, "SDM 3A 4.10.4.1: INVLPG"

        ; code that changes under the processor's feet: remapping what is executed
        mov     byte [PAGE], 0xc3       ; RET
        mov     byte [OTHER], 0xc3
        entry   TABLE, 0, PAGE | 7
        mov     eax, VIRTUAL
        call    rax
        mov     dword [OTHER], 0xc3420fb0 ; mov al, 0fh; inc/.. ; ret
        mov     dword [OTHER], 0xc30042b0
        mov     byte [OTHER + 2], 0x90
        entry   TABLE, 0, OTHER | 7
        xor     eax, eax
        mov     ebx, VIRTUAL
        call    rbx
        movzx   eax, al
        expect  eax, 0x42, "SDM 3A 4.10.4.1: INVLPG holds for instruction fetches, too"
        finish
