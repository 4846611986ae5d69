; The first instructions of a program: RDI -> its arguments, one string (kernel/proc/exec.c).
BITS 64
extern main
section .text
global _start, syscall, syscall80
_start:
    xor ebp, ebp
    and rsp, -16
    call main
    mov edi, eax
    xor eax, eax                ; SYS_EXIT
    syscall
    ud2

; long syscall(number, a, b, c): SYSCALL keeps all but RAX, RCX and R11.
syscall:
    mov rax, rdi
    mov rdi, rsi
    mov rsi, rdx
    mov rdx, rcx
    syscall
    ret

; The same through the interrupt gate.
syscall80:
    mov rax, rdi
    mov rdi, rsi
    mov rsi, rdx
    mov rdx, rcx
    int 0x80
    ret
section .note.GNU-stack noalloc noexec nowrite progbits
