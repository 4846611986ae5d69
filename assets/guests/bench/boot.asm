; Multiboot1 (address-field "kludge") + flat entry at 0x100000; -DBITS64=1 for long mode.
section .note.GNU-stack noalloc noexec nowrite progbits
bits 32
org_base equ 0x100000
extern kmain, __bss_start, __bss_end, __load_end
global _start, bp_count, tick_count, pf_resume, pf_count, pf_touch
section .boot
_start: jmp near entry            ; the BIOS-disk loader jumps here
align 8
mb: dd 0x1BADB002, 0x00010003, -(0x1BADB002+0x00010003)
    dd mb, org_base, __load_end, 0, entry
align 8
gdt: dq 0
%ifdef BITS64
     dq 0x00AF9A000000FFFF
%else
     dq 0x00CF9A000000FFFF
%endif
     dq 0x00CF92000000FFFF
     dq 0x00CF9A000000FFFF
gdtr: dw gdtr-gdt-1
      dd gdt
idtr: dw 256*16-1
%ifdef BITS64
      dq idt
%else
      dd idt
%endif
entry:
  cli
  cld
  mov edi, __bss_start
  mov ecx, __bss_end
  sub ecx, edi
  xor eax, eax
  rep stosb
  mov esp, 0x3f0000
  lgdt [gdtr]
%ifdef BITS64
  mov edi, 0x400000           ; PML4, PDPT, PD, then 128 page tables (256 MiB in 4K pages)
  mov ecx, 3*1024
  xor eax, eax
  rep stosd
  mov dword [0x400000], 0x401003
  mov dword [0x401000], 0x402003
  mov ecx, 128
  mov edi, 0x402000
  mov eax, 0x403003
.pd: mov [edi], eax
  add eax, 0x1000
  add edi, 8
  loop .pd
  mov edi, 0x403000
  mov ecx, 65536
  mov eax, 3
.pt: mov [edi], eax
  mov dword [edi+4], 0
  add eax, 0x1000
  add edi, 8
  loop .pt
  mov eax, 0x6a0              ; PAE, PGE, OSFXSR, OSXMMEXCPT
  mov cr4, eax
  mov eax, 0x400000
  mov cr3, eax
  mov ecx, 0xC0000080
  rdmsr
  or eax, 0x101
  wrmsr
  mov eax, 0x80010033         ; PG WP NE ET MP PE
  mov cr0, eax
  jmp 8:long_entry
bits 64
long_entry:
  mov ax, 16
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov fs, ax
  mov gs, ax
  mov esp, 0x3f0000
  call mkidt
  fninit                      ; reset leaves FCW=0x40 (exceptions unmasked): Bochs then raises #MF, QEMU does not
  call kmain
  hlt
mkidt:
  mov edi, idt
  xor ecx, ecx
.l: mov eax, isr_default
  cmp ecx, 3
  jne .n1
  mov eax, isr_bp
.n1: cmp ecx, 14
  jne .n2
  mov eax, isr_pf
.n2: cmp ecx, 0x20
  jne .n3
  mov eax, isr_timer
.n3: mov [rdi], ax
  mov word [rdi+2], 8
  mov word [rdi+4], 0x8e00
  shr eax, 16
  mov [rdi+6], ax
  mov qword [rdi+8], 0
  add edi, 16
  inc ecx
  cmp ecx, 256
  jne .l
  lidt [idtr]
  ret
isr_bp: inc dword [bp_count]
  iretq
isr_pf: add rsp, 8
  push rax
  mov rax, [pf_resume]
  mov [rsp+8], rax
  pop rax
  inc dword [pf_count]
  iretq
isr_timer: push rax
  inc dword [tick_count]
  mov al, 0x20
  out 0x20, al
  pop rax
  iretq
isr_default: mov dx, 0x3f8
  mov al, '!'
  out dx, al
  mov al, 10
  out dx, al
  mov al, 1
  out 0xf4, al
  cli
  hlt
pf_touch:
  mov qword [pf_resume], .r
.l: mov eax, [abs 0xF000000]
.r: dec edi
  jnz .l
  ret
%else
  mov edi, 0x400000
  mov ecx, 1024
  xor eax, eax
  rep stosd
  mov edi, 0x400000
  mov ecx, 64
  mov eax, 0x401003
.pd: mov [edi], eax
  add eax, 0x1000
  add edi, 4
  loop .pd
  mov edi, 0x401000
  mov ecx, 65536
  mov eax, 3
.pt: mov [edi], eax
  add eax, 0x1000
  add edi, 4
  loop .pt
  mov eax, 0x680
  mov cr4, eax
  mov eax, 0x400000
  mov cr3, eax
  mov eax, 0x80010033
  mov cr0, eax
  jmp 8:.pm
.pm: mov ax, 16
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov fs, ax
  mov gs, ax
  mov edi, idt
  xor ecx, ecx
.l: mov eax, isr_default
  cmp ecx, 3
  jne .n1
  mov eax, isr_bp
.n1: cmp ecx, 14
  jne .n2
  mov eax, isr_pf
.n2: cmp ecx, 0x20
  jne .n3
  mov eax, isr_timer
.n3: mov [edi], ax
  mov word [edi+2], 8
  mov word [edi+4], 0x8e00
  shr eax, 16
  mov [edi+6], ax
  add edi, 8
  inc ecx
  cmp ecx, 256
  jne .l
  lidt [idtr]
  fninit
  call kmain
  hlt
isr_bp: inc dword [bp_count]
  iret
isr_pf: add esp, 4
  push eax
  mov eax, [pf_resume]
  mov [esp+4], eax
  pop eax
  inc dword [pf_count]
  iret
isr_timer: push eax
  inc dword [tick_count]
  mov al, 0x20
  out 0x20, al
  pop eax
  iret
isr_default: mov dx, 0x3f8
  mov al, '!'
  out dx, al
  mov al, 10
  out dx, al
  mov al, 1
  out 0xf4, al
  cli
  hlt
pf_touch:
  mov dword [pf_resume], .r
  mov ecx, [esp+4]
.l: mov eax, [0xF000000]
.r: dec ecx
  jnz .l
  ret
%endif
section .bss
alignb 16
idt: resb 256*16
bp_count: resd 1
tick_count: resd 1
pf_count: resd 1
alignb 8
pf_resume: resq 1
