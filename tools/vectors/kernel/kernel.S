# The kernel that the vectors run under in the emulated machine: the last page of the ROM, from the reset vector into
# long mode, then case after case. Built by `npm run build:vectors` into emulator/core/vectors/kernel.bin;
# emulator/core/vectors/harness.ts lays out the memory around it and holds the same addresses.
#
# A case: restore INT3 where the last instruction lay, write the new one, load DS..GS (and FS/GS bases), go to ring 3,
# and there do what the generator did on silicon (tools/vectors/generator/enter.S). The first exception comes
# back here; its frame stays on the stack, the registers go to the job page, and HLT hands over to the harness.

        .set KERNEL, 0xffffffff80000000   # linear; bit 31 set, so that 32-bit displacements reach it
        .set ROM_AT, KERNEL + 0xff000     # this page
        .set BOOT, 0x600                  # physical: GDTR for real mode, CR3 (8), IDTR (16), GDTR (32), final CR3 (48)
        .set JOB, KERNEL + 0x2000
        .set STACK_TOP, KERNEL + 0x4000
        .set USER_TEXT, 0x700000          # this page once more, for ring 3
        .set USER, 0x701000

        .set RESTORE_AT, JOB + 0
        .set RESTORE_LENGTH, JOB + 8
        .set CODE_AT, JOB + 16
        .set CODE_LENGTH, JOB + 24
        .set CODE, JOB + 32
        .set SELECTORS, JOB + 64          # ES, DS, FS, GS
        .set SET_BASES, JOB + 72
        .set FS_BASE, JOB + 80
        .set GS_BASE, JOB + 88
        .set OUT_GPR, JOB + 0x100
        .set OUT_SELECTORS, JOB + 0x180
        .set OUT_CR2, JOB + 0x188
        .set OUT_VECTOR, JOB + 0x190
        .set DONE, JOB + 0x198

        .text
entry:
        # Entries of the exceptions 0 to 31, 16 bytes each; harness.ts points the IDT here.
        .code64
        .set vector, 0
        .rept 32
        .balign 16
        .if vector != 8 && vector != 10 && vector != 11 && vector != 12 && vector != 13 && vector != 14 && vector != 17 && vector != 21
        pushq $0
        .endif
        pushq $vector
        jmp common
        .set vector, vector + 1
        .endr

        .balign 16
        .org 0x200
common:
        mov %rax, OUT_GPR + 0
        mov %rcx, OUT_GPR + 8
        mov %rdx, OUT_GPR + 16
        mov %rbx, OUT_GPR + 24
        mov %rbp, OUT_GPR + 40
        mov %rsi, OUT_GPR + 48
        mov %rdi, OUT_GPR + 56
        mov %r8, OUT_GPR + 64
        mov %r9, OUT_GPR + 72
        mov %r10, OUT_GPR + 80
        mov %r11, OUT_GPR + 88
        mov %r12, OUT_GPR + 96
        mov %r13, OUT_GPR + 104
        mov %r14, OUT_GPR + 112
        mov %r15, OUT_GPR + 120
        mov %es, OUT_SELECTORS + 0
        mov %ds, OUT_SELECTORS + 2
        mov %fs, OUT_SELECTORS + 4
        mov %gs, OUT_SELECTORS + 6
        mov %cr2, %rax
        mov %rax, OUT_CR2
        pop %rax
        mov %rax, OUT_VECTOR
        incq DONE
        hlt
next:
        mov $STACK_TOP, %rsp
        cld
        mov RESTORE_AT, %rdi
        mov RESTORE_LENGTH, %rcx
        mov $0xcc, %al
        rep stosb
        mov CODE_AT, %rdi
        mov CODE_LENGTH, %rcx
        mov $CODE, %rsi
        rep movsb
        mov SELECTORS + 0, %es
        mov SELECTORS + 2, %ds
        mov SELECTORS + 4, %fs
        mov SELECTORS + 6, %gs
        cmpq $0, SET_BASES
        je 1f
        mov $0xc0000100, %ecx             # IA32_FS_BASE
        mov FS_BASE, %eax
        mov FS_BASE + 4, %edx
        wrmsr
        inc %ecx                          # IA32_GS_BASE
        mov GS_BASE, %eax
        mov GS_BASE + 4, %edx
        wrmsr
1:      push $0x2b
        push $USER + 0xff0
        push $0x202
        push $0x33
        push $USER_TEXT + (user - entry)
        iretq

        # Ring 3, 64-bit mode.
user:
        pushq USER + 0x80
        popfq
        mov USER + 0, %rax
        mov USER + 8, %rcx
        mov USER + 16, %rdx
        mov USER + 24, %rbx
        mov USER + 40, %rbp
        mov USER + 48, %rsi
        mov USER + 56, %rdi
        mov USER + 64, %r8
        mov USER + 72, %r9
        mov USER + 80, %r10
        mov USER + 88, %r11
        mov USER + 96, %r12
        mov USER + 104, %r13
        mov USER + 112, %r14
        mov USER + 120, %r15
        mov USER + 0x88, %ss
        mov USER + 32, %rsp
        jmp *USER + 0x98                  # one of the two below, chosen by harness.ts
        .org 0x3f0
        jmp *USER + 0x90                  # 3F0h: near, any 64-bit address
        .org 0x3f8
        ljmpl *USER + 0x90                # 3F8h: far, m16:32

        # From real mode into long mode in one step (SDM 3A 9.8.5); everything else is prepared.
        .org 0x400
        .code16
start:
        cli
        xor %ax, %ax
        mov %ax, %ds
        lgdtl BOOT
        mov $0x50620, %eax                # CR4: OSXSAVE, FSGSBASE, OSXMMEXCPT, OSFXSR, PAE
        mov %eax, %cr4
        mov BOOT + 8, %eax
        mov %eax, %cr3
        mov $0xc0000080, %ecx             # IA32_EFER: SCE, LME, NXE
        rdmsr
        or $0x901, %eax
        wrmsr
        mov $0x80050033, %eax             # CR0: PG, AM, WP, NE, ET, MP, PE
        mov %eax, %cr0
        ljmpl $0x10, $0xff000 + (long - entry)
        .code64
long:
        xor %eax, %eax
        mov %eax, %ss
        lidt BOOT + 16
        lgdt BOOT + 32
        mov BOOT + 48, %rdx
        movabs $1f, %rax
        jmp *%rax
1:      mov %rdx, %cr3                    # without what was mapped one to one
        mov $0x40, %eax
        ltr %ax
        mov $0x50, %eax
        lldt %ax
        jmp next

        .org 0xff0
        .code16
        .byte 0xea                        # JMP F000:F400
        .word 0xf400, 0xf000
        .org 0x1000
