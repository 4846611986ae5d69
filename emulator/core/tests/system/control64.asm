; What the control registers and MSRs of 64-bit mode take and refuse, beyond control.asm and msr.asm: MOV CR3 and CR4, INVPCID,
; XCR0, IA32_MISC_ENABLE, machine checks, the time-stamp counter (SDM 2, 3A 2.5, 4.10, 4 table 2-2).
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
gdt_end:

; a feature's bit, CPUID leaf %1, subleaf %2, register %3, bit %4: EAX
%macro feature 4
        mov     eax, %1
        mov     ecx, %2
        cpuid
        mov     eax, %3
        shr     eax, %4
        and     eax, 1
%endmacro

bits 16
main:   enter_long
bits 64
        ; --- CR3, CR4
        mov     rax, PML4 | 1
        mov     cr3, rax
        mov     rax, cr4
        or      eax, 0x20000
        faults  13, 0, "SDM 3A 4.10.1: CR4.PCIDE while CR3[11:0] is 1", {mov cr4, rax}
        mov     eax, PML4
        mov     cr3, rax
        mov     rax, cr4
        xor     eax, 0x1000
        faults  13, 0, "SDM 3A 2.5: CR4.LA57 in IA-32e mode", {mov cr4, rax}
        mov     rax, cr4
        xor     eax, 0x1010
        faults  13, 0, "SDM 3A 2.5: CR4.LA57 with PSE", {mov cr4, rax}
        mov     rax, cr4
        or      eax, 1 << 28
        faults  13, 0, "SDM 3A 2.5: CR4.LAM_SUP without LAM", {mov cr4, rax}
        mov     rax, cr4
        bts     rax, 32
        faults  13, 0, "SDM 3A 2.5: bit 32 of CR4", {mov cr4, rax}
        mov     eax, -1
        faults  13, 0, "SDM 3A 2.5: all bits of CR4", {mov cr4, rax}
        mov     rax, cr3
        bts     rax, 63
        faults  13, 0, "SDM 2B MOV CR3: bit 63 without PCIDE", {mov cr3, rax}
        mov     rax, cr0
        and     eax, 0x7fffffff
        faults  13, 0, "SDM 3A 4.1.2: CR0.PG cannot be cleared in 64-bit mode", {mov cr0, rax}

        ; --- INVPCID
        xor     eax, eax
        mov     [cell + 8], rax
        mov     ebx, 1
        mov     qword [cell], 0
        runs    "SDM 2A INVPCID: type 1 of PCID 0 without PCIDE", {invpcid rbx, [cell]}
        mov     qword [cell], 1
        faults  13, 0, "SDM 2A INVPCID: type 1 of PCID 1 without PCIDE", {invpcid rbx, [cell]}
        xor     ebx, ebx
        faults  13, 0, "SDM 2A INVPCID: type 0 of PCID 1 without PCIDE", {invpcid rbx, [cell]}
        cr4_set 0x20000
        mov     ebx, 2
        mov     qword [cell], 10
        runs    "SDM 2A INVPCID: type 2 of PCID 10", {invpcid rbx, [cell]}
        mov     qword [cell], 0x1000
        faults  13, 0, "SDM 2A INVPCID: bit 12 of the descriptor", {invpcid rbx, [cell]}
        mov     qword [cell], 0
        mov     rax, 0x8000000000000000
        mov     [cell + 8], rax
        runs    "SDM 2A INVPCID: type 2 looks at no address", {invpcid rbx, [cell]}
        xor     ebx, ebx
        faults  13, 0, "SDM 2A INVPCID: type 0 of an address that is not canonical", {invpcid rbx, [cell]}
        mov     rsi, 0x8000000000000000
        faults  13, 0, "SDM 2A INVPCID: a descriptor at one", {invpcid rbx, [rsi]}
        mov     rax, cr0
        and     eax, 0x7fffffff
        faults  13, 0, "SDM 3A 4.10.1: CR0.PG cannot be cleared with PCIDE", {mov cr0, rax}
        cr4_clear 0x20000

        ; --- XCR0
        xor     ecx, ecx
        faults  6, 0xdead, "SDM 2C XGETBV without CR4.OSXSAVE", {xgetbv}
        mov     eax, 3
        xor     edx, edx
        faults  6, 0xdead, "SDM 2C XSETBV without CR4.OSXSAVE", {xsetbv}
        feature 1, 0, ecx, 27
        expect  eax, 0, "SDM 2A CPUID: OSXSAVE is CR4's"
        cr4_set 0x40000
        feature 1, 0, ecx, 27
        expect  eax, 1, "SDM 2A CPUID: OSXSAVE is CR4's, set"
        mov     rcx, 0x1234567800000000
        mov     eax, 1
        xor     edx, edx
        runs    "SDM 2C XSETBV: bits 63:32 of RCX mean nothing", {xsetbv}
        mov     rcx, 0x5555555500000000
        runs    "SDM 2C XGETBV: bits 63:32 of RCX mean nothing", {xgetbv}
        mov     rcx, 0x5555555500000000
        xgetbv
        expect  eax, 1, "SDM 2C XGETBV: x87 only"
        xor     ecx, ecx
        xor     eax, eax
        faults  13, 0, "SDM 2C XSETBV: x87 cannot be left out", {xsetbv}
        mov     eax, 4
        faults  13, 0, "SDM 2C XSETBV: AVX alone", {xsetbv}
        mov     eax, 5
        faults  13, 0, "SDM 2C XSETBV: x87 and AVX", {xsetbv}
        mov     eax, 3
        mov     edx, 0x80000000
        faults  13, 0, "SDM 2C XSETBV: bit 63", {xsetbv}
        xor     edx, edx
        mov     dword [cell], 0
        mov     ebx, 1
.xcr:   mov     eax, 3
        xor     edx, edx
        tally_refused {xsetbv}
        cmp     ebx, 1                  ; XGETBV of 1 says what is in use
        je      .xnext
        tally_refused {xgetbv}
.xnext: cmp     ebx, 64                 ; 1 to 64, then powers of two
        jae     .high
        inc     ebx
        jmp     .xcr
.high:  add     ebx, ebx
        jnz     .xcr
.xdone: expect  dword [cell], 0, "SDM 2C XSETBV, XGETBV: no register but XCR0"
        feature 0xd, 1, eax, 2
        expect  eax, 1, "SDM 2A CPUID: XGETBV of 1"
        mov     ecx, 1
        runs    "SDM 2C XGETBV of 1", {xgetbv}
        cr4_clear 0x40000

        ; --- IA32_MISC_ENABLE: what a system switches, and CPUID says of it (SDM 4 table 2-2)
        msr_read 0x1a0
        mov     [cell], eax
        and     eax, 0x1880
        or      eax, 0xc50009
        mov     ebx, eax
        mov     edx, 4
        user_gate 0x30
        runs    "SDM 4: IA32_MISC_ENABLE takes its bits", {wrmsr}
        rdmsr
        mov     esi, eax
        expect  edx, 4, "SDM 4: XD disable"
        xor     esi, ebx
        expect  esi, 0, "SDM 4: and the others"
        feature 0x80000001, 0, edx, 20
        expect  eax, 0, "SDM 4: CPUID shows no NX then"
        msr_write 0x1a0, 0, [cell]
        feature 0x80000001, 0, edx, 20
        expect  eax, 1, "SDM 4: and again NX"
        ; --- machine check: as many banks as IA32_MCG_CAP says, and none of the others
        msr_read 0x179
        movzx   ebx, al
        shl     ebx, 2
        add     ebx, 0x400
        mov     dword [cell], 0
.bank:  tally_refused {rdmsr}
        xor     eax, eax
        xor     edx, edx
        tally_refused {wrmsr}
        inc     ebx
        cmp     ebx, 0x480
        jb      .bank
        expect  dword [cell], 0, "SDM 3B 16.3.2: no registers of banks that are not there"
        msr_read 0x179
        faults  13, 0, "SDM 4: IA32_MCG_CAP is read-only", {wrmsr}
        ; --- commands without CPUID's bit for them
        refused 0x49, 0, 1, "SDM 4: IA32_PRED_CMD, which CPUID does not offer"
        refused 0x10b, 0, 1, "SDM 4: IA32_FLUSH_CMD, which CPUID does not offer"
        mov     ecx, 0x48
        faults  13, 0, "SDM 4: IA32_SPEC_CTRL, which CPUID does not offer", {rdmsr}
        msr_read 0x3a
        faults  13, 0, "SDM 4: IA32_FEATURE_CONTROL is locked", {wrmsr}
        mov     ecx, 0x480
        faults  13, 0, "SDM 4: IA32_VMX_BASIC without VMX", {rdmsr}
        mov     ecx, 0xc0010117
        faults  13, 0, "APM 2: VM_HSAVE_PA without SVM", {rdmsr}
        mov     ecx, 0x122
        faults  13, 0, "SDM 4: IA32_TSX_CTRL, which IA32_ARCH_CAPABILITIES does not offer", {rdmsr}
        ; --- TSC
        msr_write 0x10, 0, 0
        rdtsc
        expect  edx, 0, "SDM 3B 18.17: IA32_TSC can be set back"
        msr_write 0xc0000103, 0, 0x100
        rdtscp
        expect  ecx, 0x100, "SDM 2B RDTSCP: IA32_TSC_AUX"
        mov     rax, -1
        rdpid   rax
        mov     rcx, rax
        expectq rcx, 0x100, "SDM 2B RDPID"
        cr4_set 4
        user_faults 13, 0, "SDM 2B RDTSC at CPL 3 with TSD", {rdtsc}
        user_faults 13, 0, "SDM 2B RDTSCP at CPL 3 with TSD", {rdtscp}
        cr4_clear 4
        user_runs "SDM 2B RDTSC at CPL 3", {rdtsc}
        user_faults 13, 0, "SDM 2B RDPMC at CPL 3", {rdpmc}
        finish

        align   16
cell:   times   4 dq 0
