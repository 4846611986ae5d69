; From 32-bit protected mode to C in the higher half. Both ways to start the kernel come through start32:
;   stage 2 of our own boot chain   EAX = 'SEED',      EBX -> struct bios_record   (boot/stage2.asm)
;   a Multiboot 2 loader            EAX = 36D76289h,   EBX -> its information      (Multiboot 2, 3.3)
; Either has left us flat 4 GiB segments, paging off and interrupts off.
KERNEL_BASE equ 0xFFFFFFFF80000000

extern __image_end, __load_end, __bss_start, __bss_end, kernel_main

section .boot.header align=8
    db 'SEEDKRNL'               ; for stage 2 (boot/load.inc)
    dd start32
    dd __image_end

align 8
multiboot2:                     ; Multiboot 2, 3.1
    dd 0xE85250D6, 0, multiboot2_end - multiboot2
    dd -(0xE85250D6 + 0 + (multiboot2_end - multiboot2))
    dw 3, 0                     ; our entry point, a physical address; where to load comes from the ELF
    dd 12
    dd start32
align 8
    dw 6, 0                     ; align modules to pages
    dd 8
    dw 0, 0
    dd 8
multiboot2_end:

section .boot.text progbits alloc exec nowrite align=16
BITS 32
global start32
start32:
    cli
    cld
    mov edi, eax                ; the first two arguments of kernel_main (psABI 3.2.3), untouched from here to there
    mov esi, ebx
    mov esp, boot_stack_top - KERNEL_BASE

    ; Is there a long mode? CPUID exists if EFLAGS.ID can be changed (SDM 1 19.1); then 80000001h, EDX bit 29.
    pushfd
    pop eax
    mov ecx, eax
    xor eax, 1 << 21
    push eax
    popfd
    pushfd
    pop eax
    xor eax, ecx
    test eax, 1 << 21
    jz no_long_mode
    mov eax, 0x80000000
    cpuid
    cmp eax, 0x80000001
    jb no_long_mode
    mov eax, 0x80000001
    cpuid
    test edx, 1 << 29
    jz no_long_mode
    mov ebp, edx                ; bit 20: execute disable

    ; Clear the five tables below, then map the first GiB three times with 2 MiB pages: at 0 (this code keeps running
    ; when paging goes on), at FFFF800000000000h (the direct map) and at FFFFFFFF80000000h (the kernel).
    push edi
    mov edi, pml4 - KERNEL_BASE
    xor eax, eax
    mov ecx, 5 * 4096 / 4
    rep stosd
    pop edi
    mov dword [pml4 - KERNEL_BASE], (pdpt_low - KERNEL_BASE + 3)
    mov dword [pml4 - KERNEL_BASE + 256 * 8], (pdpt_low - KERNEL_BASE + 3)
    mov dword [pml4 - KERNEL_BASE + 511 * 8], (pdpt_high - KERNEL_BASE + 3)
    mov dword [pdpt_low - KERNEL_BASE], (pd - KERNEL_BASE + 3)
    mov dword [pdpt_high - KERNEL_BASE + 510 * 8], (pd - KERNEL_BASE + 3)
    mov eax, 0x83               ; present, writable, page size
    xor ecx, ecx
.map:
    mov [pd - KERNEL_BASE + ecx * 8], eax
    add eax, 1 << 21
    inc ecx
    cmp ecx, 512
    jb .map

    ; SDM 3A 9.8.5: CR4.PAE, CR3, EFER.LME, CR0.PG, in this order.
    mov eax, cr4
    or eax, 1 << 5
    mov cr4, eax
    mov eax, pml4 - KERNEL_BASE
    mov cr3, eax
    mov ecx, 0xC0000080         ; IA32_EFER
    rdmsr
    or eax, 1 << 8              ; LME
    test ebp, 1 << 20
    jz .no_nx
    or eax, 1 << 11             ; NXE
.no_nx:
    wrmsr
    mov eax, cr0
    or eax, 0x80010000          ; PG, and WP: the kernel respects read-only pages, too
    and eax, 0x9FFFFFFF         ; CD and NW off
    mov cr0, eax
    lgdt [gdt.pointer]
    jmp 0x08:start64

no_long_mode:
    mov esi, .message
    mov edi, 0xB8000
.next:
    lodsb
    test al, al
    jz .stop
    mov ah, 0x4F
    stosw
    mov dx, 0x3F8
    out dx, al
    jmp .next
.stop:
    hlt
    jmp .stop
.message: db 'Seedling needs a 64-bit processor: this one has no long mode.', 13, 10, 0

align 8
gdt:
    dq 0
    dq 0x00AF9A000000FFFF       ; 08h: 64-bit code (L)
    dq 0x00CF92000000FFFF       ; 10h: data
.pointer:
    dw $ - gdt - 1
    dd gdt

BITS 64
start64:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    mov rax, start_high         ; a far jump in 32-bit code reaches 4 GiB; this one reaches the higher half
    jmp rax

section .text
start_high:
    mov rsp, boot_stack_top
    mov edi, edi                ; the upper halves are undefined after 32-bit mode (SDM 1 3.4.1.1)
    mov esi, esi
    mov r12, rdi
    mov rdi, __bss_start        ; our own boot chain loads a flat image and clears nothing
    mov rcx, __bss_end
    sub rcx, rdi
    xor eax, eax
    rep stosb
    mov rdi, r12
    xor ebp, ebp                ; the end of every back-trace
    call kernel_main
.stop:
    cli
    hlt
    jmp .stop

section .bss.early nobits alloc write align=4096
global pml4, boot_stack, boot_stack_top
pml4        resb 4096
pdpt_low    resb 4096
pdpt_high   resb 4096
pd          resb 4096
            resb 4096           ; a page nobody uses: the stack below must not run into the tables unnoticed
boot_stack  resb 16384
boot_stack_top:
section .note.GNU-stack noalloc noexec nowrite progbits
