; Model-specific registers: which exist, which bits they take (SDM 4; SDM 3B 18.17.3; SDM 3A 11.11, 11.12).
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
gdt_end:

bits 16
main:   enter_long
bits 64
        ; --- IA32_TSC_ADJUST
        msr_read 0x3b
        or      eax, edx
        expect  eax, 0, "SDM 3B 18.17.3: IA32_TSC_ADJUST begins with 0"
        msr_read 0x10
        mov     ebx, edx
        accepted 0x3b, 0x100, 0, "SDM 3B 18.17.3: IA32_TSC_ADJUST can be written"
        rdtsc
        sub     edx, ebx
        expect  edx, 0x100, "SDM 3B 18.17.3: and moves the counter"
        msr_write 0x3b, 0, 0
        msr_write 0x10, 0x200, 0
        msr_read 0x3b
        ; 0x200:0 less what the counter was, which is below 2^32
        expect  edx, 0x1ff, "SDM 3B 18.17.3: writing the counter moves IA32_TSC_ADJUST"
        msr_write 0x3b, 0, 0
        ; --- IA32_PAT, MTRRs
        accepted 0x277, 0x07070707, 0x06050401, "SDM 3A 11.12.2: memory types of IA32_PAT"
        refused 0x277, 0x07070702, 0x00070406, "SDM 3A 11.12.2: type 2 in IA32_PAT"
        refused 0x277, 0x07070707, 0x08070406, "SDM 3A 11.12.2: type 8 in IA32_PAT"
        accepted 0x200, 0, 0x80000006, "SDM 3A 11.11.2.3: a variable range"
        refused 0x200, 0, 0x80000002, "SDM 3A 11.11.2.3: type 2"
        refused 0x200, 0, 0x80000106, "SDM 3A 11.11.2.3: bit 8"
        refused 0x201, 0x80000000, 0x00000800, "SDM 3A 11.11.2.3: beyond MAXPHYADDR"
        accepted 0x250, 0x06060606, 0x06060606, "SDM 3A 11.11.2.2: a fixed range"
        refused 0x250, 0x06060606, 0x06030606, "SDM 3A 11.11.2.2: type 3"
        accepted 0x2ff, 0, 0xc06, "SDM 3A 11.11.2.1: IA32_MTRR_DEF_TYPE"
        refused 0x2ff, 0, 0x1006, "SDM 3A 11.11.2.1: its bit 12"
        mov     ecx, 0xfe
        xor     edx, edx
        mov     eax, 0x508
        faults  13, 0, "SDM 3A 11.11.1: IA32_MTRRCAP is read-only", {wrmsr}
        ; --- IA32_EFER
        msr_read 0xc0000080
        expect  eax, 0xd01, "SDM 3A 2.2.1: SCE, LME, LMA, NXE"
        refused 0xc0000080, 0, 0xf01, "SDM 3A 2.2.1: bit 9"
        refused 0xc0000080, 1, 0xd01, "SDM 3A 2.2.1: bit 32"
        accepted 0xc0000080, 0, 0xd00, "SDM 3A 2.2.1: without SCE"
        ; --- SYSCALL, SYSENTER
        accepted 0xc0000084, 0, 0xffffffff, "SDM 4: IA32_FMASK"
        accepted 0x175, 0xffff8000, 0x1000, "SDM 4: IA32_SYSENTER_ESP"
        refused 0x175, 0x40000000, 0, "SDM 4: IA32_SYSENTER_ESP not canonical"
        refused 0xc0000102, 0xaaaaaaaa, 0xaaaaaaaa, "SDM 4: IA32_KERNEL_GS_BASE not canonical"
        ; --- IA32_TSC_AUX
        accepted 0xc0000103, 0, 0x12345678, "SDM 4: IA32_TSC_AUX"
        ; --- IA32_BIOS_SIGN_ID: CPUID puts the revision there (SDM 3A 9.11.7.1)
        msr_write 0x8b, 0, 0
        mov     eax, 1
        cpuid
        msr_read 0x8b
        test    edx, edx
        setne   al
        movzx   eax, al
        expect  eax, 1, "SDM 3A 9.11.7.1: a microcode revision"
        ; --- no such register
        mov     ecx, 0x12345678
        faults  13, 0, "SDM 2B RDMSR: no such register", {rdmsr}
        faults  13, 0, "SDM 2B WRMSR: no such register", {wrmsr}
        ; --- IA32_XSS with CPUID.0DH.1:EAX[3]
        mov     eax, 0xd
        mov     ecx, 1
        cpuid
        shr     eax, 3
        and     eax, 1
        expect  eax, 1, "SDM 2A CPUID: XSAVES"
        accepted 0xda0, 0, 0, "SDM 4: IA32_XSS"
        refused 0xda0, 0x80000000, 0, "SDM 4: a bit that IA32_XSS has not"
        ; --- XCR0
        cr4_set 0x40000
        mov     eax, 2
        xor     ecx, ecx
        xor     edx, edx
        faults  13, 0, "SDM 2C XSETBV: XCR0 without x87", {xsetbv}
        mov     eax, 5
        faults  13, 0, "SDM 2C XSETBV: AVX without SSE", {xsetbv}
        mov     eax, 7
        mov     ecx, 1
        faults  13, 0, "SDM 2C XSETBV: no XCR1", {xsetbv}
        xor     ecx, ecx
        mov     eax, 7
        runs    "SDM 2C XSETBV: x87, SSE, AVX", {xsetbv}
        ; --- XSAVES, XRSTORS
        mov     eax, 7
        xor     edx, edx
        mov     ebx, 0x92000
        runs    "SDM 2C XSAVES", {xsaves [rbx]}
        expect  dword [0x92000 + 520], 7, "SDM 1 13.11: XCOMP_BV"
        expect  dword [0x92000 + 524], 0x80000000, "SDM 1 13.11: the compacted format"
        mov     eax, 7
        runs    "SDM 2C XRSTORS", {xrstors [rbx]}
        mov     dword [0x92000 + 524], 0
        faults  13, 0, "SDM 1 13.12: XRSTORS of the standard format", {xrstors [rbx]}
        mov     dword [0x92000 + 524], 0x80000000
        mov     dword [0x92000 + 528], 1
        faults  13, 0, "SDM 1 13.12: bytes 63:16 of the header", {xrstors [rbx]}
        user_faults 13, 0, "SDM 2C XSAVES: CPL 0 only", {xsaves [rbx]}
        finish
