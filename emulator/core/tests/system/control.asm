; Values that control registers and MSRs cannot take. QEMU's TCG checks few of these (README.md).
%include "harness.inc"

main:   mov     word [13 * 4], any_fault
        mov     word [13 * 4 + 2], 0
        mov     word [6 * 4], any_fault
        mov     word [6 * 4 + 2], 0

%macro protection 2
        mov     sp, 0x7000
        mov     word [caught_ip], 0
        mov     word [resume], %%after
%%at:   %1
%%after:
        movzx   eax, word [caught_ip]
        expect  eax, %%at, %2
%endmacro

%macro allowed 2
        mov     sp, 0x7000
        mov     word [caught_ip], 0
        mov     word [resume], %%after
        %1
%%after:
        movzx   eax, word [caught_ip]
        expect  eax, 0, %2
%endmacro

        mov     ecx, 0x12345678
        protection {rdmsr}, "SDM 2B RDMSR: #GP for an MSR that does not exist"
        protection {wrmsr}, "SDM 2B WRMSR: #GP for an MSR that does not exist"
        mov     edx, 0x80000000
        protection {mov cr4, edx}, "SDM 2B MOV CR: #GP for a reserved bit of CR4"
        mov     edx, 0x80000010
        protection {mov cr0, edx}, "SDM 2B MOV CR: #GP for PG without PE"
        mov     edx, 0x20000010
        protection {mov cr0, edx}, "SDM 2B MOV CR: #GP for NW without CD"
        mov     eax, cr0
        and     eax, 0x80000001
        expect  eax, 0, "SDM 3A 6.5: a fault leaves CR0 as it was"
        protection {db 0x0f, 0x20, 0xc8}, "SDM 2B MOV CR: #UD for CR1"
        mov     edx, 0x20
        allowed {mov cr4, edx}, "SDM 2B MOV CR: CR4.PAE may be set in real mode"
        mov     eax, cr4
        expect  eax, 0x20, "SDM 2B MOV CR: CR4 reads back"
        xor     edx, edx
        mov     cr4, edx

        ; EFER (SDM 3A 2.2.1): reserved bits, LMA read-only
        mov     ecx, 0xc0000080
        xor     edx, edx
        mov     eax, 0x2
        protection {wrmsr}, "SDM 3A 2.2.1: #GP for a reserved bit of EFER"
        mov     eax, 0xd01
        allowed {wrmsr}, "SDM 3A 2.2.1: LMA in the written value is ignored"
        rdmsr
        and     eax, 0x400
        expect  eax, 0, "SDM 3A 2.2.1: LMA is the processor's"
        xor     eax, eax
        wrmsr

        ; Canonical addresses (SDM 2B WRMSR)
        mov     edx, 0x40000000
        mov     ecx, 0xc0000082
        protection {wrmsr}, "SDM 2B WRMSR: #GP for an LSTAR that is not canonical"
        mov     ecx, 0xc0000100
        protection {wrmsr}, "SDM 2B WRMSR: #GP for an FS base that is not canonical"
        mov     ecx, 0x176
        protection {wrmsr}, "SDM 2B WRMSR: #GP for a SYSENTER_EIP that is not canonical"
        mov     edx, 0xffff8000
        allowed {wrmsr}, "SDM 2B WRMSR: an upper-half SYSENTER_EIP"

        ; Memory types (SDM 3A 11.11.2.1, 11.12.2)
        mov     ecx, 0x277
        mov     edx, 0x00070406
        mov     eax, 0x00070402
        protection {wrmsr}, "SDM 3A 11.12.2: #GP for PAT type 2"
        mov     eax, 0x00070406
        allowed {wrmsr}, "SDM 3A 11.12.2: PAT takes its reset value"
        mov     ecx, 0x2ff
        xor     edx, edx
        mov     eax, 0x803
        protection {wrmsr}, "SDM 3A 11.11.2.1: #GP for MTRR default type 3"
        mov     eax, 0xc06
        allowed {wrmsr}, "SDM 3A 11.11.2.1: MTRRs on, default write-back"

        ; What is not offered is not there: SMEP, PCIDE, OSXSAVE (SDM 3A 2.5)
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        mov     edx, 1 << 20
        test    ebx, 1 << 7
        jz      .no_smep
        mov     edx, 1 << 31            ; a processor that has SMEP is asked for what nobody has
.no_smep:
        protection {mov cr4, edx}, "SDM 3A 2.5: #GP for CR4.SMEP without the CPUID bit"
        mov     eax, 0x80000008
        cpuid
        movzx   eax, ah
        mov     esi, eax
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        ; LA57 makes nine more of them.
        shr     ecx, 16
        and     ecx, 1
        imul    ecx, 9
        sub     esi, ecx
        expect  esi, 48, "SDM 2A CPUID: 48 bits of linear address, 57 with LA57"
        xor     eax, eax
        cpuid
        expect  ebx, 0x756e6547, "SDM 2A CPUID: leaf 0 EBX, Genu"

        ; TSC and its MSR count together (SDM 3B 17.17)
        mov     ecx, 0x10
        xor     edx, edx
        xor     eax, eax
        wrmsr
        rdtsc
        mov     ebx, eax
        expect  edx, 0, "SDM 3B 17.17: the TSC was set to 0"
        rdmsr
        sub     eax, ebx
        setc    al
        movzx   eax, al
        expect  eax, 0, "SDM 3B 17.17: RDMSR of the TSC does not run behind RDTSC"

        ; DR4 is DR6 unless CR4.DE (SDM 3B 17.2.2)
        mov     eax, 0x2
        mov     dr6, eax
        db      0x0f, 0x21, 0xe0        ; mov eax, dr4
        expect  eax, 0xffff0ff2, "SDM 3B 17.2.2: DR4 is DR6; its fixed bits"
        mov     eax, 0xdc00
        mov     dr7, eax
        mov     eax, dr7
        and     eax, 0xd400
        expect  eax, 0x0400, "SDM 3B 17.2.4: fixed bits of DR7"
        mov     word [1 * 4], any_fault
        mov     word [1 * 4 + 2], 0
        mov     eax, 0x2400
        mov     dr7, eax
        protection {mov eax, dr7}, "SDM 3B 17.3.1.3: with DR7.GD an access to a debug register is #DB"
        mov     eax, dr7
        expect  eax, 0x0400, "SDM 3B 17.2.4: GD is clear in the handler"
        mov     eax, dr6
        and     eax, 0x2000
        expect  eax, 0x2000, "SDM 3B 17.2.3: DR6.BD"
        mov     edx, 8
        mov     cr4, edx
        protection {db 0x0f, 0x21, 0xe0}, "SDM 3B 17.2.2: #UD for DR4 with CR4.DE"
        finish

any_fault:
        pop     word [caught_ip]
        mov     sp, 0x7000
        jmp     [resume]

        align   4
resume:         dw 0
caught_ip:      dw 0
