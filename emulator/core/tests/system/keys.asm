; Protection keys of user and of supervisor pages (SDM 3A 4.6.2): PKRU, IA32_PKRS, error codes.
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
gdt_end:

TABLE           equ 0x23000
USER_PAGE       equ 0x800000            ; TABLE[0], key 5
SYSTEM_PAGE     equ 0x801000            ; TABLE[1], key 5, supervisor
KEY5            equ 5 << 27             ; in the high half of an entry
AD5             equ 1 << 10
WD5             equ 2 << 10

%macro pkru 1
        xor     ecx, ecx
        xor     edx, edx
        mov     eax, %1
        wrpkru
%endmacro
%macro pkrs 1
        msr_write 0x6e1, 0, %1
%endmacro

bits 16
main:   enter_long
bits 64
        user_gate 0x30
        mov     qword [PD + 4 * 8], TABLE | 7
        mov     dword [TABLE], 0x90000 | 7
        mov     dword [TABLE + 4], KEY5
        mov     dword [TABLE + 8], 0x91000 | 3
        mov     dword [TABLE + 12], KEY5
        mov     rax, cr0
        or      eax, 0x10000
        mov     cr0, rax

        mov     eax, 7
        xor     ecx, ecx
        cpuid
        mov     eax, ecx
        and     eax, 0x18
        expect  eax, 8, "SDM 2A CPUID: PKU, and OSPKE clear"
        xor     ecx, ecx
        faults  6, 0xdead, "SDM 2B RDPKRU: #UD without CR4.PKE", {rdpkru}
        xor     edx, edx
        faults  6, 0xdead, "SDM 2B WRPKRU: #UD without CR4.PKE", {wrpkru}
        cr4_set 0x400000
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        mov     eax, ecx
        and     eax, 0x18
        expect  eax, 0x18, "SDM 2A CPUID: OSPKE"
        mov     ecx, 1
        faults  13, 0, "SDM 2B RDPKRU: #GP for ECX", {rdpkru}
        xor     edx, edx
        faults  13, 0, "SDM 2B WRPKRU: #GP for ECX", {wrpkru}
        xor     ecx, ecx
        mov     edx, 1
        faults  13, 0, "SDM 2B WRPKRU: #GP for EDX", {wrpkru}
        pkru    0x12345670
        mov     edx, -1
        rdpkru
        expect  eax, 0x12345670, "SDM 2B RDPKRU: what was written"
        expect  edx, 0, "SDM 2B RDPKRU: EDX"

        ; --- user pages
        pkru    AD5
        faults  14, 0x21, "SDM 3A 4.6.2: AD, a read by the supervisor", {mov eax, [USER_PAGE]}
        faults  14, 0x23, "SDM 3A 4.6.2: AD, a write by the supervisor", {mov [USER_PAGE], eax}
        user_faults 14, 0x25, "SDM 3A 4.6.2: AD, a read by the user", {mov eax, [USER_PAGE]}
        user_faults 14, 0x27, "SDM 3A 4.6.2: AD, a write by the user", {mov [USER_PAGE], eax}
        runs    "SDM 3A 4.6.2: a supervisor page of the same key", {mov eax, [SYSTEM_PAGE]}
        mov     eax, [TABLE]
        and     eax, 0x20
        expect  eax, 0, "SDM 3A 4.8: a page that was barred is not accessed"
        mov     dword [0x90000], 0x30cd30cd
        catch   .fetch
        to_user USER_PAGE, USER_CODE, 0x202
.fetch: expect  dword [caught_vector], 0x30, "SDM 3A 4.6.2: keys do not keep code from being fetched"
        pkru    WD5
        runs    "SDM 3A 4.6.2: WD, a read", {mov eax, [USER_PAGE]}
        faults  14, 0x23, "SDM 3A 4.6.2: WD, a write by the supervisor with CR0.WP", {mov [USER_PAGE], eax}
        user_faults 14, 0x27, "SDM 3A 4.6.2: WD, a write by the user", {mov [USER_PAGE], eax}
        mov     rax, cr0
        and     eax, ~0x10000
        mov     cr0, rax
        runs    "SDM 3A 4.6.2: WD, a write by the supervisor without CR0.WP", {mov [USER_PAGE], eax}
        user_faults 14, 0x27, "SDM 3A 4.6.2: WD, a write by the user without CR0.WP", {mov [USER_PAGE], eax}
        mov     rax, cr0
        or      eax, 0x10000
        mov     cr0, rax
        pkru    0
        runs    "SDM 3A 4.6.2: PKRU 0, a write (nothing is to be invalidated)", {mov [USER_PAGE], eax}
        pkru    WD5
        faults  14, 0x23, "SDM 3A 4.6.2: WD again", {mov [USER_PAGE], eax}
        mov     dword [TABLE + 4], 6 << 27
        invlpg  [USER_PAGE]
        runs    "SDM 3A 4.10: the key of the entry, after INVLPG", {mov [USER_PAGE], eax}
        mov     dword [TABLE], 0x90000 | 5
        mov     dword [TABLE + 4], KEY5
        invlpg  [USER_PAGE]
        faults  14, 0x23, "SDM 3A 4.7: PK beside another reason", {mov [USER_PAGE], eax}
        pkru    0
        faults  14, 3, "SDM 3A 4.7: no PK for a read-only page", {mov [USER_PAGE], eax}
        mov     dword [TABLE], 0x90000 | 7
        invlpg  [USER_PAGE]
        pkru    AD5
        cr4_clear 0x400000
        runs    "SDM 3A 4.6.2: without CR4.PKE keys do not matter", {mov eax, [USER_PAGE]}
        cr4_set 0x400000
        faults  14, 0x21, "SDM 3A 4.6.2: CR4.PKE again", {mov eax, [USER_PAGE]}
        pkru    0

        ; --- XSAVE component 9
        cr4_set 0x40000
        mov     eax, 0xd
        xor     ecx, ecx
        cpuid
        shr     eax, 9
        and     eax, 1
        expect  eax, 1, "SDM 2A CPUID: XCR0 has PKRU"
        mov     eax, 0xd
        mov     ecx, 9
        cpuid
        mov     [offset], ebx
        expect  eax, 8, "SDM 2A CPUID: 8 bytes of PKRU"
        xor     ecx, ecx
        xor     edx, edx
        mov     eax, 0x203
        xsetbv
        pkru    0x5a0
        xor     edx, edx
        mov     eax, 0x200
        mov     ebx, IMAGE
        xsave   [rbx]
        mov     ebx, [offset]
        expect  dword [rbx + IMAGE], 0x5a0, "SDM 1 13.4: PKRU in the image"
        expect  dword [IMAGE + 512], 0x200, "SDM 1 13.4: XSTATE_BV"
        pkru    0
        mov     ebx, IMAGE
        xor     edx, edx
        mov     eax, 0x200
        xrstor  [rbx]
        xor     ecx, ecx
        rdpkru
        expect  eax, 0x5a0, "SDM 1 13.8: PKRU from the image"
        mov     dword [IMAGE + 512], 0
        mov     ebx, IMAGE
        xor     edx, edx
        mov     eax, 0x200
        xrstor  [rbx]
        xor     ecx, ecx
        rdpkru
        expect  eax, 0, "SDM 1 13.8: PKRU is initialised"

        ; --- supervisor pages
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        shr     ecx, 31
        expect  ecx, 1, "SDM 2A CPUID: PKS"
        pkrs    AD5
        runs    "SDM 3A 4.6.2: IA32_PKRS without CR4.PKS", {mov eax, [SYSTEM_PAGE]}
        cr4_set 0x1000000
        faults  14, 0x21, "SDM 3A 4.6.2: AD of IA32_PKRS, a read", {mov eax, [SYSTEM_PAGE]}
        faults  14, 0x23, "SDM 3A 4.6.2: AD of IA32_PKRS, a write", {mov [SYSTEM_PAGE], eax}
        runs    "SDM 3A 4.6.2: a user page of the same key", {mov eax, [USER_PAGE]}
        pkrs    WD5
        runs    "SDM 3A 4.6.2: WD of IA32_PKRS, a read", {mov eax, [SYSTEM_PAGE]}
        faults  14, 0x23, "SDM 3A 4.6.2: WD of IA32_PKRS, a write", {mov [SYSTEM_PAGE], eax}
        mov     rax, cr0
        and     eax, ~0x10000
        mov     cr0, rax
        runs    "SDM 3A 4.6.2: WD of IA32_PKRS without CR0.WP", {mov [SYSTEM_PAGE], eax}
        mov     ecx, 0x6e1
        mov     edx, 1
        xor     eax, eax
        faults  13, 0, "SDM 4: the high half of IA32_PKRS is reserved", {wrmsr}
        finish

        align   8
offset: dq      0
IMAGE           equ 0x92000
