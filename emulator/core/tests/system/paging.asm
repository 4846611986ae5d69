; Paging with 32-bit and PAE tables: error codes, CR2, rights, accessed and dirty flags, large pages, NX, PDPTEs.
%include "harness.inc"
%include "protected.inc"
gdt_end:

DIRECTORY       equ 0x20000
TABLE           equ 0x21000
PDPT            equ 0x22000
PAE_DIRECTORY   equ 0x23000
PAE_TABLE       equ 0x24000
PAGE            equ 0x90000             ; the page the tests play with
OTHER           equ 0x91000
PTE             equ TABLE + PAGE / 0x1000 * 4
PAE_PTE         equ PAE_TABLE + PAGE / 0x1000 * 8

%macro check_fault 4                    ; error, CR2, EIP, text
        expect  dword [caught_vector], 14, {%4, ": #PF"}
        expect  dword [caught_error], %1, {%4, ": error code"}
        expect  dword [caught_cr2], %2, {%4, ": CR2"}
        expect  dword [caught_eip], %3, {%4, ": saved EIP"}
%endmacro

%macro faults 4                         ; error, CR2, text, instruction
        catch   %%after
%%at:   %4
%%after:
        check_fault %1, %2, %%at, %3
%endmacro

%macro user_faults 4                    ; the same at CPL 3 (DS is null there: use SS)
        catch   %%after
        to_user %%at, 0x202
%%at:   %4
%%after:
        check_fault %1, %2, %%at, %3
%endmacro

%macro map 1                            ; new entry for PAGE in the two-level table
        mov     dword [PTE], %1
        invlpg  [PAGE]
%endmacro

%macro map_pae 2                        ; high, low half of the entry
        mov     dword [PAE_PTE], %2
        mov     dword [PAE_PTE + 4], %1
        invlpg  [PAGE]
%endmacro

bits 16
main:   enter_protected
bits 32
        mov     dword [PAGE], 0x90909090
        mov     dword [PAGE + 0xffc], 0
        mov     dword [OTHER], 0x91919191
        ; the first 4 MiB identity-mapped, for everybody
        xor     eax, eax
        mov     edi, DIRECTORY
        mov     ecx, 0x5000 / 4
        rep     stosd
        mov     dword [DIRECTORY], TABLE | 7
        mov     edi, TABLE
        mov     eax, 7
.fill:  stosd
        add     eax, 0x1000
        cmp     edi, TABLE + 0x1000
        jb      .fill
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 0x80000000
        mov     cr0, eax
        expect  dword [PAGE], 0x90909090, "SDM 3A 4.3: identity mapping"

        ; --- error codes and CR2 (SDM 3A 4.7) --------------------------------------------------------------------
        map     0
        faults  0, PAGE + 4, "SDM 3A 4.7: supervisor read, not present", {mov eax, [PAGE + 4]}
        faults  2, PAGE + 8, "SDM 3A 4.7: supervisor write, not present", {mov [PAGE + 8], eax}
        faults  2, PAGE + 8, "SDM 3A 4.7: read-modify-write counts as a write", {add dword [PAGE + 8], 1}
        faults  0, 0x400123, "SDM 3A 4.7: page directory entry not present", {mov al, [0x400123]}
        user_faults 4, PAGE, "SDM 3A 4.7: user read, not present", {mov eax, [ss:PAGE]}
        user_faults 6, PAGE, "SDM 3A 4.7: user write, not present", {mov [ss:PAGE], eax}
        map     PAGE | 3
        user_faults 5, PAGE, "SDM 3A 4.7: user read of a supervisor page", {mov eax, [ss:PAGE]}
        user_faults 7, PAGE, "SDM 3A 4.7: user write to a supervisor page", {mov [ss:PAGE], eax}
        map     PAGE | 5
        user_faults 7, PAGE, "SDM 3A 4.7: user write to a read-only page", {mov [ss:PAGE], eax}
        map     0
        catch   .fetch
        mov     eax, PAGE
        jmp     eax
.fetch: check_fault 0, PAGE, PAGE, "SDM 3A 4.7: instruction fetch, no execute-disable"
        mov     edx, 0x11223344
        faults  2, PAGE, "SDM 3A 6.5: a write across two pages", {mov [PAGE - 2], edx}
        expect  dword [PAGE - 4], 0, "SDM 3A 6.5: of which nothing was written"

        ; --- CR0.WP (SDM 3A 4.6.1) ------------------------------------------------------------------------------------
        map     PAGE | 1
        mov     dword [PAGE + 0x10], 0x77
        expect  dword [PAGE + 0x10], 0x77, "SDM 3A 4.6.1: CR0.WP = 0: the supervisor writes read-only pages"
        mov     eax, cr0
        or      eax, 0x10000
        mov     cr0, eax
        faults  3, PAGE + 0x10, "SDM 3A 4.6.1: CR0.WP = 1: it does not", {mov dword [PAGE + 0x10], 0x78}
        expect  dword [PAGE + 0x10], 0x77, "SDM 3A 4.6.1: and nothing was written"

        ; --- accessed and dirty (SDM 3A 4.8) ------------------------------------------------------------------------
        map     PAGE | 3
        and     dword [DIRECTORY], ~0x20
        mov     eax, cr3
        mov     cr3, eax
        expect  dword [PTE], PAGE | 3, "SDM 3A 4.8: INVLPG touches nothing"
        mov     eax, [PAGE]
        expect  dword [PTE], PAGE | 0x23, "SDM 3A 4.8: a read sets A"
        mov     dword [PAGE], 0x90909090
        expect  dword [PTE], PAGE | 0x63, "SDM 3A 4.8: a write sets D"
        mov     eax, [DIRECTORY]
        and     eax, 0x60
        expect  eax, 0x20, "SDM 3A 4.8: A, and not D, in the directory entry"
        map     PAGE | 1
        catch   .no_dirty
        mov     dword [PAGE], 1
.no_dirty:
        mov     eax, [PTE]
        and     eax, 0x40
        expect  eax, 0, "SDM 3A 4.8: a write that faults does not set D"

        ; --- invalidation (SDM 3A 4.10.4.1) -----------------------------------------------------------------------------
        map     PAGE | 3
        mov     eax, [PAGE]
        mov     dword [PTE], OTHER | 3
        invlpg  [PAGE + 0x800]
        expect  dword [PAGE], 0x91919191, "SDM 3A 4.10.4.1: INVLPG of any address in the page"
        mov     dword [PTE], PAGE | 3
        mov     eax, cr3
        mov     cr3, eax
        expect  dword [PAGE], 0x90909090, "SDM 3A 4.10.4.1: MOV CR3"
        mov     dword [PTE], OTHER | 3
        mov     eax, cr0
        and     eax, 0x7fffffff
        mov     cr0, eax
        or      eax, 0x80000000
        mov     cr0, eax
        expect  dword [PAGE], 0x91919191, "SDM 3A 4.10.4.1: clearing CR0.PG"
        ; a global page: clearing CR4.PGE invalidates it, too
        mov     eax, 0x80
        mov     cr4, eax
        map     PAGE | 0x103
        mov     eax, [PAGE]
        mov     dword [PTE], OTHER | 0x103
        xor     eax, eax
        mov     cr4, eax
        expect  dword [PAGE], 0x91919191, "SDM 3A 4.10.4.1: changing CR4.PGE invalidates global pages"
        ; from not present to present no invalidation is needed: such entries are never cached
        map     0
        faults  0, PAGE, "SDM 3A 4.10.2.3: not present", {mov eax, [PAGE]}
        mov     dword [PTE], PAGE | 3
        expect  dword [PAGE], 0x90909090, "SDM 3A 4.10.2.3: entries that are not present are not cached"

        ; --- 4 MiB pages (SDM 3A 4.3) ------------------------------------------------------------------------------------
        mov     dword [DIRECTORY + 4], 0x83
        faults  0, 0x490000, "SDM 3A 4.3: without CR4.PSE, bit 7 means nothing: the table at 0 is used", {mov eax, [0x490000]}
        mov     eax, 0x10
        mov     cr4, eax
        expect  dword [0x490000], 0x90909090, "SDM 3A 4.3: a 4 MiB page"
        mov     dword [DIRECTORY + 8], 0x200083
        faults  9, 0x890000, "SDM 3A 4.3: bit 21 of a 4 MiB page is reserved", {mov eax, [0x890000]}
        faults  0xb, 0x890000, "SDM 3A 4.7: reserved bit, write", {mov [0x890000], eax}

        ; ================ PAE (SDM 3A 4.4) ================
        mov     eax, cr0
        and     eax, 0x7fffffff
        mov     cr0, eax
        mov     dword [PDPT], PAE_DIRECTORY | 1
        mov     dword [PAE_DIRECTORY], PAE_TABLE | 7
        mov     edi, PAE_TABLE
        mov     eax, 7
.pae:   mov     [edi], eax
        mov     dword [edi + 4], 0
        add     edi, 8
        add     eax, 0x1000
        cmp     edi, PAE_TABLE + 0x1000
        jb      .pae
        mov     ecx, 0xc0000080
        rdmsr
        or      eax, 0x800
        wrmsr
        mov     eax, 0x20
        mov     cr4, eax
        mov     eax, PDPT
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 0x80000000
        mov     cr0, eax
        expect  dword [PAGE], 0x90909090, "SDM 3A 4.4: PAE paging"

        mov     dword [PDPT], PAE_DIRECTORY | 3
        catch   .pdpte
        mov     eax, PDPT
.pdpte_at:
        mov     cr3, eax
.pdpte: expect  dword [caught_vector], 13, "SDM 3A 4.4.1: a reserved bit in a PDPTE: #GP at MOV CR3"
        expect  dword [caught_eip], .pdpte_at, "SDM 3A 4.4.1: and nothing has changed"
        mov     dword [PDPT], PAE_DIRECTORY | 1
        mov     eax, PDPT
        mov     cr3, eax

        ; execute-disable (SDM 3A 4.6.1)
        map_pae 0x80000000, PAGE | 3
        expect  dword [PAGE], 0x90909090, "SDM 3A 4.6.1: an execute-disable page can be read"
        catch   .nx
        mov     eax, PAGE
        jmp     eax
.nx:    check_fault 0x11, PAGE, PAGE, "SDM 3A 4.7: fetch from an execute-disable page"
        map_pae 0, 0
        catch   .np_fetch
        mov     eax, PAGE
        jmp     eax
.np_fetch:
        check_fault 0x10, PAGE, PAGE, "SDM 3A 4.7: with NXE a fetch says so in its error code"
        mov     byte [OTHER], 0xc3
        map_pae 0, OTHER | 3
        mov     eax, PAGE
        call    eax
        mov     byte [OTHER], 0x91
        expect  dword [PAGE], 0x91919191, "SDM 3A 4.6.1: a page without XD can be executed"
        map_pae 0x00100000, PAGE | 3
        faults  9, PAGE, "SDM 3A 4.4.2: bit 52 is reserved in PAE paging", {mov eax, [PAGE]}
        mov     ecx, 0xc0000080
        rdmsr
        and     eax, ~0x800
        wrmsr
        map_pae 0x80000000, PAGE | 3
        faults  9, PAGE, "SDM 3A 4.4.2: without NXE bit 63 is reserved", {mov eax, [PAGE]}
        map_pae 0, PAGE | 3

        ; 2 MiB pages
        mov     dword [PAE_DIRECTORY + 8], 0x83
        expect  dword [0x290000], 0x90909090, "SDM 3A 4.4.2: a 2 MiB page"
        mov     dword [PAE_DIRECTORY + 16], 0x2083
        faults  9, 0x490000, "SDM 3A 4.4.2: bit 13 of a 2 MiB page is reserved", {mov eax, [0x490000]}
        faults  0, 0x40000000, "SDM 3A 4.4.1: a PDPTE that is not present", {mov eax, [0x40000000]}
        ; the processor holds the PDPTEs (SDM 3A 4.4.1)
        mov     dword [PDPT], 0
        invlpg  [PAGE]
        expect  dword [PAGE], 0x90909090, "SDM 3A 4.4.1: the PDPTEs are loaded with CR3 only"
        finish
