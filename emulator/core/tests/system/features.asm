; What came to 64-bit processors later: UMIP, FSGSBASE, RDTSCP, RDRAND, SMEP, SMAP, PCID and INVPCID.
%include "harness.inc"
%include "long.inc"
LDT             equ $ - gdt
        descriptor ALIAS + 0x90000, 15, 0x0082
        dq      0
gdt_end:

ALIAS           equ 0x600000            ; a user page at physical 0
TABLE           equ 0x23000
PAGED           equ 0x800000            ; through TABLE[0]

%macro check_fault 4
        expect  dword [caught_vector], %1, {%4, ": vector"}
        expect  dword [caught_error], %2, {%4, ": error code"}
        expect  dword [caught_rip], %3, {%4, ": saved RIP"}
%endmacro
%macro faults 4
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
%macro cr4_set 1
        mov     rax, cr4
        or      eax, %1
        mov     cr4, rax
%endmacro

bits 16
main:   enter_long
bits 64
        mov     qword [PD + 3 * 8], 0x87
        mov     qword [PD + 4 * 8], TABLE | 7
        mov     qword [TABLE], 0x90000 | 7
        mov     dword [0x90000], 0x90909090
        mov     dword [0x91000], 0x91919191
        ; --- FSGSBASE (SDM 2B RDFSBASE)
        faults  6, 0xdead, {"RDFSBASE without CR4.FSGSBASE"}, {rdfsbase rax}
        cr4_set 0x10000
        mov     rcx, 0x123456789a
        wrfsbase rcx
        rdfsbase rdx
        expectq rdx, 0x123456789a, "WRFSBASE, RDFSBASE"
        wrgsbase ecx
        rdgsbase rdx
        expectq rdx, 0x3456789a, "32 bits of WRGSBASE"
        mov     rcx, 0x800000000000
        faults  13, 0, {"WRFSBASE of an address that is not canonical"}, {wrfsbase rcx}
        ; --- RDTSCP, RDPID
        mov     ecx, 0xc0000103
        mov     eax, 0x77
        xor     edx, edx
        wrmsr
        rdtscp
        expect  ecx, 0x77, "RDTSCP: ECX is IA32_TSC_AUX"
        ; --- RDRAND: CF, and two that differ
        rdrand  rbx
        setc    al
        movzx   eax, al
        expect  eax, 1, "RDRAND: CF"
        rdrand  rcx
        cmp     rbx, rcx
        setne   al
        movzx   eax, al
        expect  eax, 1, "RDRAND: another number"
        ; --- UMIP (SDM 3A 2.5)
        cr4_set 0x800
        sldt    eax
        expect  eax, 0, "SLDT at CPL 0 with UMIP"
        user_faults 13, 0, {"SGDT at CPL 3 with UMIP"}, {sgdt [0x90010]}
        user_faults 13, 0, {"SMSW at CPL 3 with UMIP"}, {smsw eax}
        user_faults 13, 0, {"STR at CPL 3 with UMIP"}, {str eax}
        ; --- SMEP, SMAP (SDM 3A 4.6.1): our own pages become the supervisor's
        mov     qword [PD], 0x83
        mov     rax, cr3
        mov     cr3, rax
        cr4_set 0x100000
        catch   .smep
        mov     eax, ALIAS + .in_user
        jmp     rax
.in_user:
        nop
.smep:  check_fault 14, 0x11, ALIAS + .in_user, "SMEP: a fetch from a user page"
        mov     eax, [ALIAS + 0x90000]
        cr4_set 0x200000
        faults  14, 1, {"SMAP: a read"}, {mov eax, [ALIAS + 0x90000]}
        faults  14, 3, {"SMAP: a write"}, {mov [ALIAS + 0x90000], eax}
        stac
        mov     eax, [ALIAS + 0x90000]
        mov     [check_q], eax
        clac
        expect  dword [check_q], 0x90909090, "SMAP: allowed by AC"
        faults  14, 1, {"SMAP: after CLAC"}, {mov eax, [ALIAS + 0x90000]}
        mov     eax, LDT
        lldt    ax
        stac
        mov     ecx, 4
        catch   .implicit
        mov     ds, ecx
.implicit:
        expect  dword [caught_vector], 14, "SMAP: a descriptor is read implicitly, whatever AC says"
        clac
        ; --- PCID (SDM 3A 4.10.1)
        mov     rax, cr4
        and     eax, ~0x200000
        mov     cr4, rax
        mov     rax, PML4 | 1
        mov     cr3, rax
        mov     rax, cr4
        or      eax, 0x20000
        faults  13, 0, {"CR4.PCIDE while CR3[11:0] is not 0"}, {mov cr4, rax}
        mov     eax, PML4
        mov     cr3, rax
        cr4_set 0x20000
        mov     eax, PML4 | 1
        mov     cr3, rax
        expect  dword [PAGED], 0x90909090, "translation of PCID 1"
        mov     qword [TABLE], 0x91000 | 7
        mov     eax, PML4 | 2
        mov     cr3, rax
        expect  dword [PAGED], 0x91919191, "PCID 2 has none of them"
        mov     qword [TABLE], 0x90000 | 7
        mov     rax, PML4 | 1
        bts     rax, 63
        mov     cr3, rax
        mov     rax, cr3
        expectq rax, PML4 | 1, "bit 63 is not part of CR3"
        mov     eax, PML4 | 1
        mov     cr3, rax
        expect  dword [PAGED], 0x90909090, "MOV CR3 without bit 63 invalidates its PCID"
        mov     qword [TABLE], 0x91000 | 7
        mov     qword [pcid_descriptor], 1
        mov     qword [pcid_descriptor + 8], PAGED
        xor     eax, eax
        invpcid rax, [pcid_descriptor]
        expect  dword [PAGED], 0x91919191, "INVPCID of one address"
        mov     qword [TABLE], 0x90000 | 7
        mov     eax, 1
        invpcid rax, [pcid_descriptor]
        expect  dword [PAGED], 0x90909090, "INVPCID of one PCID"
        mov     qword [TABLE], 0x91000 | 7
        mov     eax, 2
        invpcid rax, [pcid_descriptor]
        expect  dword [PAGED], 0x91919191, "INVPCID of everything"
        mov     eax, 4
        faults  13, 0, {"INVPCID of an unknown type"}, {invpcid rax, [pcid_descriptor]}
        mov     rax, cr4
        and     eax, ~0x10000
        mov     cr4, rax
        finish

        align   16
pcid_descriptor: dq 0, 0
