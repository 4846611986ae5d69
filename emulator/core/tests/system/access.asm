; Every access through every entry: PDPTE, PDE and PTE with all their bits, the controls that change their meaning, reads,
; writes and fetches of both rings, drawn at random. Whether it faults, the error code, and which accessed and dirty flags
; are set follow from SDM 3A 4.6 (rights), 4.7 (error code), 4.8 (flags), as `model` has them.
;
; A run by hand takes other numbers: nasm -DCOUNT=10000000 -DSEED=77 ...
%include "harness.inc"
%include "long.inc"
gdt_end:
%ifndef COUNT
COUNT           equ 12000
%endif
%ifndef SEED
SEED            equ 0x2f6e2b1
%endif
%ifndef CONTROLS
CONTROLS        equ 0x7f                ; those that are drawn; without 10h: no protection keys
%endif
ROUND           equ 16                  ; accesses between changes of control registers
FRAME           equ 0x30000             ; what is accessed, by a 4 KiB page or by the 2 MiB page at 0
TARGET          equ 0x80000000 + FRAME
USER_ALIAS      equ 0x40000000          ; the first 2 MiB once more, for CPL 3
ALIAS_PD        equ 0x23000
TARGET_PD       equ 0x24000
TARGET_PT       equ 0x25000
PTE             equ TARGET_PT + FRAME / 4096 * 8

; The draw, R12
PDE_P           equ 0
PDE_W           equ 1
PDE_U           equ 2
PDE_A           equ 3
PDE_D           equ 4
PDE_PS          equ 5
PDE_NX          equ 6
PDE_51          equ 7                   ; an address bit that no model here has
PTE_P           equ 8
PTE_W           equ 9
PTE_U           equ 10
PTE_A           equ 11
PTE_D           equ 12
PTE_NX          equ 13
PTE_51          equ 14
KEY             equ 15                  ; protection key 1 instead of 0, in the leaf
PDPTE_RO        equ 16
PDPTE_SUPER     equ 17
PDPTE_NX        equ 18
USER            equ 19
KIND            equ 20                  ; two bits: read, read, write, fetch
FLAG_AC         equ 22
PDE_13          equ 23                  ; reserved in a 2 MiB page
TWICE           equ 24                  ; a read at CPL 0 first
; The controls, R13, from one more draw
WP              equ 0
NXE             equ 1
SMEP            equ 2
SMAP            equ 3
PKE             equ 4
AD              equ 5
WD              equ 6

E_P             equ 1
E_W             equ 2
E_U             equ 4
E_R             equ 8
E_I             equ 16
E_PK            equ 32
SUCCESS         equ 0x30                ; the vector that ends an access that is allowed

%macro random 1                         ; 32 bits (xorshift), from and to R15
        mov     eax, r15d
        shl     eax, 13
        xor     r15d, eax
        mov     eax, r15d
        shr     eax, 17
        xor     r15d, eax
        mov     eax, r15d
        shl     eax, 5
        xor     r15d, eax
        mov     %1, r15d
%endmacro
; Entry in RAX: sets bit %2 when bit %1 of R12 is set
%macro bit_to 2
        mov     ecx, r12d
        shr     ecx, %1
        and     ecx, 1
%if %2 >= 32
        shl     rcx, %2
%elif %2 > 0
        shl     ecx, %2
%endif
        or      rax, rcx
%endmacro

bits 16
main:   enter_long
        or      byte [idt + SUCCESS * 16 + 5], 0x60
        ; The kernel's own pages are the supervisor's, for SMEP and SMAP; CPL 3 runs in the alias.
        xor     ecx, ecx
.super: and     byte [PD + rcx * 8], ~4
        inc     ecx
        cmp     ecx, 512
        jb      .super
        mov     edi, ALIAS_PD
        xor     eax, eax
        mov     ecx, 3 * 4096 / 8
        rep     stosq
        mov     dword [ALIAS_PD], 0x87
        mov     dword [PDPT + 8], ALIAS_PD | 7
        mov     rax, cr3
        mov     cr3, rax
        ; What is fetched, read, and written back: INT 30h
        mov     dword [FRAME], 0x909030cd

        mov     r15d, SEED
        xor     r14d, r14d
next:   test    r14d, ROUND - 1
        jnz     .draw
        random  r13d
        and     r13d, CONTROLS
        call    controls
.draw:  random  r12d
        random  ebx
        ; Present is likelier than not, reserved bits rarer.
        mov     eax, ebx
        and     eax, (1 << PDE_P) | (1 << PTE_P)
        or      r12d, eax
        shr     ebx, 1
        mov     eax, ebx
        and     eax, (1 << PDE_P) | (1 << PTE_P)
        or      r12d, eax
        mov     eax, ebx
        shr     eax, 3
        and     eax, ebx
        or      eax, ~((1 << PDE_51) | (1 << PTE_51) | (1 << PDE_13) | (1 << PDPTE_NX) | (1 << PDPTE_SUPER))
        and     r12d, eax
        call    entries
        mov     rax, [TARGET_PD]
        mov     [before_pde], rax
        mov     rax, [PTE]
        mov     [before_pte], rax
        mov     edi, TARGET
        invlpg  [rdi]

        mov     dword [must_a], 0
        mov     dword [must_d], 0
        bt      r12d, TWICE
        jnc     .once
        ; The read before: of the supervisor, whatever AC says now
        mov     esi, r12d
        and     r12d, ~((1 << USER) | (3 << KIND))
        call    model
        call    note_flags
        mov     dword [resume], .read
        call    load_flags
        mov     edi, TARGET
        mov     eax, [rdi]
.read:  mov     r12d, esi
        push    2
        popfq
.once:  call    model
        call    note_flags
        mov     dword [caught_error], 0
        mov     dword [caught_vector], 0xff
        mov     dword [resume], done
        mov     edi, TARGET
        mov     eax, 0x909030cd
        mov     edx, r12d
        shr     edx, KIND
        and     edx, 3
        bt      r12d, USER
        jc      .user
        call    load_flags
        jmp     access
.user:  push    USER_DATA
        push    STACK3
        mov     ecx, 0x202
        bt      r12d, FLAG_AC
        jnc     .frame
        or      ecx, 1 << 18
.frame: push    rcx
        push    USER_CODE
        push    USER_ALIAS + access
        iretq
; RDI: where, EAX: what is there, EDX: kind
access: cmp     edx, 2
        ja      .fetch
        je      .write
        mov     eax, [rdi]
        int     SUCCESS
.write: mov     [rdi], eax
        int     SUCCESS
.fetch: jmp     rdi

done:   ; whether and how it faulted
        mov     eax, [caught_vector]
        mov     ecx, [caught_error]
        cmp     eax, SUCCESS
        jne     .fault
        mov     ecx, -1
        jmp     .known
.fault: cmp     eax, 14
        je      .known
        lea     ecx, [rax + 0x10000]    ; some other exception
.known: mov     [check_got], ecx
        mov     eax, [wanted]
        mov     [check_want], eax
        mov     dword [check_text], text_outcome
        cmp     ecx, eax
        jne     mismatch
        cmp     eax, -1
        je      .flags
        inc     dword [faults_seen]
        mov     eax, [caught_cr2]
        mov     [check_got], eax
        mov     dword [check_want], TARGET
        mov     dword [check_text], text_cr2
        cmp     eax, TARGET
        jne     mismatch
.flags: ; The leaf has exactly the flags it should have, and no other bit has changed.
        mov     dword [check_text], text_pte
        mov     rax, [before_pte]
        bt      r12d, PDE_PS
        jc      .large
        or      rax, [must_a]
        or      rax, [must_d]
.large: mov     rdx, [PTE]
        call    same
        jne     mismatch
        mov     dword [check_text], text_pde
        mov     rax, [before_pde]
        mov     rdx, [TARGET_PD]
        bt      r12d, PDE_PS
        jnc     .table
        or      rax, [must_a]
        or      rax, [must_d]
        jmp     .pde
        ; Of a table's entry A has to be set when the page was used, and may be when the walk came by and failed.
.table: or      rax, [must_a]
        cmp     dword [must_a], 0
        jne     .pde
        bt      r12d, PDE_P
        jnc     .pde
        or      rax, 0x20
        or      rdx, 0x20
.pde:   call    same
        je      passed
mismatch:
        inc     dword [mismatches]
        cmp     dword [mismatches], 12
        ja      passed
        mov     esi, [check_text]
        call    print64
        mov     edx, r12d
        call    hex64
        mov     esi, text_controls
        call    print64
        mov     edx, r13d
        call    hex64
        mov     esi, text_got
        call    print64
        mov     edx, [check_got]
        call    hex64
        mov     esi, text_want
        call    print64
        mov     edx, [check_want]
        call    hex64
        mov     al, 10
        out     0xe9, al
passed: inc     r14d
        cmp     r14d, COUNT
        jb      next

        mov     eax, 0x20
        mov     cr4, rax
        expect  dword [mismatches], 0, "accesses that went as SDM 3A 4.6 to 4.8 have them (mismatches)"
        expect  r14d, COUNT, "all accesses were made"
        ; Neither outcome is rare: a test that never faults, or always, would say little.
        mov     eax, [faults_seen]
        mov     ecx, COUNT
        shr     ecx, 2
        cmp     eax, ecx
        setae   al
        movzx   eax, al
        expect  eax, 1, "a quarter of them faults at least"
        mov     eax, COUNT
        sub     eax, [faults_seen]
        shl     eax, 3
        cmp     eax, COUNT
        setae   al
        movzx   eax, al
        expect  eax, 1, "an eighth of them is allowed at least"
        finish

; RAX and RDX the same? The low halves for the report.
same:   mov     [check_want], eax
        mov     [check_got], edx
        cmp     rax, rdx
        ret

; RFLAGS as the draw wants it: AC or not.
load_flags:
        mov     ecx, 2
        bt      r12d, FLAG_AC
        jnc     .set
        or      ecx, 1 << 18
.set:   push    rcx
        popfq
        ret

; Control registers from R13; only what changes is written.
controls:
        mov     rax, cr0
        mov     rdx, rax
        and     eax, ~(1 << 16)
        bt      r13d, WP
        jnc     .cr0
        or      eax, 1 << 16
.cr0:   cmp     eax, edx
        je      .cr4
        mov     cr0, rax
.cr4:   mov     rdx, cr4
        mov     eax, 0x20
        bt      r13d, SMEP
        jnc     .smap
        or      eax, 1 << 20
.smap:  bt      r13d, SMAP
        jnc     .pke
        or      eax, 1 << 21
.pke:   bt      r13d, PKE
        jnc     .set
        or      eax, 1 << 22
.set:   cmp     eax, edx
        je      .pkru
        mov     cr4, rax
.pkru:  bt      r13d, PKE
        jnc     .efer
        mov     eax, r13d               ; keys 2 and up allow nothing
        shr     eax, AD - 2
        and     eax, 12
        or      eax, 0xfffffff0
        xor     ecx, ecx
        xor     edx, edx
        wrpkru
.efer:  mov     ecx, 0xc0000080
        rdmsr
        mov     esi, eax
        and     eax, ~0x800
        bt      r13d, NXE
        jnc     .nxe
        or      eax, 0x800
.nxe:   cmp     eax, esi
        je      .done
        wrmsr
.done:  ret

; The entries from R12
entries:
        mov     eax, TARGET_PD | 1
        mov     ecx, r12d
        not     ecx
        shr     ecx, PDPTE_RO - 1
        and     ecx, 2
        or      eax, ecx
        mov     ecx, r12d
        not     ecx
        shl     ecx, 1
        shr     ecx, PDPTE_SUPER - 1
        and     ecx, 4
        or      eax, ecx
        bit_to  PDPTE_NX, 63
        mov     [PDPT + 16], rax

        xor     eax, eax
        bit_to  PDE_P, 0
        bit_to  PDE_W, 1
        bit_to  PDE_U, 2
        bit_to  PDE_A, 5
        bit_to  PDE_D, 6
        bit_to  PDE_PS, 7
        bit_to  PDE_NX, 63
        bit_to  PDE_51, 51
        bt      r12d, PDE_PS
        jc      .large
        or      rax, TARGET_PT
        mov     rcx, 2 << 59            ; the key of a table's entry means nothing
        or      rax, rcx
        jmp     .pde
.large: bit_to  PDE_13, 13
        bit_to  KEY, 59
.pde:   mov     [TARGET_PD], rax

        mov     eax, FRAME
        bit_to  PTE_P, 0
        bit_to  PTE_W, 1
        bit_to  PTE_U, 2
        bit_to  PTE_A, 5
        bit_to  PTE_D, 6
        bit_to  PTE_NX, 63
        bit_to  PTE_51, 51
        bit_to  KEY, 59
        mov     [PTE], rax
        ret

; What the access in R12 has to end with: [wanted] is the error code, or -1 when it is allowed.
; EDX: the code so far; EBX: 1 writable, 2 user, 4 not executable, over all levels.
model:  mov     edx, E_P
        mov     ecx, r12d
        shr     ecx, KIND
        and     ecx, 3
        mov     [kind], ecx
        cmp     ecx, 2
        jne     .not_write
        or      edx, E_W
.not_write:
        bt      r12d, USER
        jnc     .supervisor
        or      edx, E_U
.supervisor:
        ; I/D only where fetches can be told apart: NXE, or SMEP (SDM 3A 4.7)
        cmp     ecx, 3
        jne     .walk
        test    r13d, (1 << NXE) | (1 << SMEP)
        jz      .walk
        or      edx, E_I
.walk:  mov     ebx, 3
        bt      r12d, PDPTE_NX
        jnc     .pdpte
        bt      r13d, NXE
        jnc     .reserved
        or      ebx, 4
.pdpte: bt      r12d, PDPTE_RO
        jnc     .pdpte_user
        and     ebx, ~1
.pdpte_user:
        bt      r12d, PDPTE_SUPER
        jnc     .pde
        and     ebx, ~2
.pde:   bt      r12d, PDE_P
        jnc     .absent
        bt      r12d, PDE_51
        jc      .reserved
        bt      r12d, PDE_NX
        jnc     .pde_rights
        bt      r13d, NXE
        jnc     .reserved
        or      ebx, 4
.pde_rights:
        bt      r12d, PDE_W
        jc      .pde_user
        and     ebx, ~1
.pde_user:
        bt      r12d, PDE_U
        jc      .pde_size
        and     ebx, ~2
.pde_size:
        bt      r12d, PDE_PS
        jnc     .pte
        bt      r12d, PDE_13
        jc      .reserved
        jmp     .rights
.pte:   bt      r12d, PTE_P
        jnc     .absent
        bt      r12d, PTE_51
        jc      .reserved
        bt      r12d, PTE_NX
        jnc     .pte_rights
        bt      r13d, NXE
        jnc     .reserved
        or      ebx, 4
.pte_rights:
        bt      r12d, PTE_W
        jc      .pte_user
        and     ebx, ~1
.pte_user:
        bt      r12d, PTE_U
        jc      .rights
        and     ebx, ~2

.rights:
        xor     eax, eax                ; 1: not allowed
        cmp     ecx, 3
        je      .fetch
        bt      r12d, USER
        jc      .user_data
        ; The supervisor's data (4.6.1): SMAP keeps user pages away unless AC is set; WP makes R/W count
        test    ebx, 2
        jz      .write
        bt      r13d, SMAP
        jnc     .write
        bt      r12d, FLAG_AC
        jc      .write
        mov     eax, 1
.write: cmp     ecx, 2
        jne     .key
        bt      r13d, WP
        jnc     .key
        test    ebx, 1
        jnz     .key
        mov     eax, 1
        jmp     .key
.user_data:
        test    ebx, 2
        jnz     .user_write
        mov     eax, 1
.user_write:
        cmp     ecx, 2
        jne     .key
        test    ebx, 1
        jnz     .key
        mov     eax, 1
        ; Protection keys (4.6.2): of user pages and data; WD does not bind the supervisor without WP
.key:   test    ebx, 2
        jz      .decide
        bt      r13d, PKE
        jnc     .decide
        bt      r12d, KEY
        jnc     .decide
        bt      r13d, AD
        jc      .key_fault
        cmp     ecx, 2
        jne     .decide
        bt      r13d, WD
        jnc     .decide
        bt      r12d, USER
        jc      .key_fault
        bt      r13d, WP
        jnc     .decide
.key_fault:
        or      edx, E_PK
        mov     eax, 1
        jmp     .decide
.fetch: test    ebx, 4
        jz      .fetch_ring
        mov     eax, 1
.fetch_ring:
        bt      r12d, USER
        jc      .user_fetch
        test    ebx, 2
        jz      .decide
        bt      r13d, SMEP
        jnc     .decide
        mov     eax, 1
        jmp     .decide
.user_fetch:
        test    ebx, 2
        jnz     .decide
        mov     eax, 1
.decide:
        test    eax, eax
        jnz     .fault
        mov     dword [wanted], -1
        ret
.absent:
        and     edx, ~E_P
        jmp     .fault
.reserved:
        or      edx, E_R
.fault: mov     [wanted], edx
        ret

; The flags that the access leaves in the leaf (4.8): none when it faults.
note_flags:
        cmp     dword [wanted], -1
        jne     .done
        mov     dword [must_a], 0x20
        cmp     dword [kind], 2
        jne     .done
        mov     dword [must_d], 0x40
.done:  ret

text_outcome:   db "error code (FFFFFFFF: no fault), draw ", 0
text_cr2:       db "CR2, draw ", 0
text_pte:       db "PTE, draw ", 0
text_pde:       db "PDE, draw ", 0
text_controls:  db " controls ", 0

        align   8
before_pde:     dq 0
before_pte:     dq 0
must_a:         dq 0
must_d:         dq 0
kind:           dd 0
wanted:         dd 0
mismatches:     dd 0
faults_seen:    dd 0
