; Kiln: a game of bats, balls and bricks that boots. It shows what a PC's oldest parts do together: VGA mode 13h with a palette
; of its own, the timer at 240 Hz (chained to the BIOS's 18.2 Hz), the keyboard by IRQ 1, tunes on the speaker.
; Left and right move the bat, Space serves, P pauses, M mutes, Escape gives up. Left alone, it plays by itself.
; 0000:0600 holds what there is to know about the game; emulator/core/bios/kiln.test.ts reads it.

        cpu     386
        bits    16
        org     7c00h

SECTORS equ     15                      ; behind this one: a floppy's track has 18

BACK    equ     2000h                   ; segments: the picture that is being drawn,
STAGE   equ     3000h                   ; what does not move in it,
FIRE    equ     4000h                   ; and the flames of the title
SCREEN  equ     0a000h

DIVISOR equ     4972                    ; 1193182 / 240
STEP    equ     4                       ; ticks of a picture: 60 a second

LEFT    equ     8                       ; the field
RIGHT   equ     312
TOP     equ     20
COLUMNS equ     14
ROWS    equ     8
BRICK_X equ     13
BRICK_Y equ     36
BRICK_W equ     21
BRICK_H equ     9
BAT_Y   equ     186
BALLS   equ     4
SPARKS  equ     96

; colours
WHITE   equ     1
GREY    equ     2
SHADOW  equ     3
SKY     equ     16                      ; 64 shades
CLAY    equ     80                      ; 9 glazes of 4 shades: light, plain, dark, edge
FLAME   equ     128                     ; 32 shades, black to white
STEEL   equ     160                     ; 16 shades

; scan codes, set 1
KEY_ESC equ     01h
KEY_P   equ     19h
KEY_A   equ     1eh
KEY_D   equ     20h
KEY_M   equ     32h
KEY_SPC equ     39h
KEY_LFT equ     4bh
KEY_RGT equ     4dh

; states
TITLE   equ     0
SERVE   equ     1
PLAY    equ     2
OVER    equ     3

struc ball
.x:     resw 1                          ; 10.6 fixed point, the middle
.y:     resw 1
.dx:    resw 1
.dy:    resw 1
.on:    resw 1
endstruc

struc spark
.x:     resw 1
.y:     resw 1
.dx:    resw 1
.dy:    resw 1
.life:  resw 1                          ; pictures; 0 free
.kind:  resw 1                          ; colour of a spark that does not glow; 0 glows
endstruc

; ---- variables
absolute 600h
state:  resw 1
score:  resd 1
lives:  resw 1
level:  resw 1
left:   resw 1                          ; bricks
bat:    resw 1                          ; its middle
count:  resw 1                          ; balls
frames: resw 1
demo:   resw 1                          ; the game plays itself
best:   resd 1
wide:   resw 1                          ; half the bat's width
ticks:  resw 1
old8:   resd 1
phase:  resw 1                          ; when the BIOS's tick is due
last:   resw 1
seed:   resw 1
font:   resd 1
tune:   resw 1                          ; next note, 0 none
tuneat: resw 1                          ; where it begins again, 0 nowhere
tunefor: resw 1                         ; ticks left
noise:  resw 1                          ; the same for noises, which go before
noisefor: resw 1
muted:  resw 1
paused: resw 1
idle:   resw 1
shake:  resw 1
speed:  resw 1
dropx:  resw 1                          ; what falls, 10.6
dropy:  resw 1
drop:   resw 1                          ; 0 nothing, else its letter
batold: resw 1
timer:  resw 1
digits: resb 12
down:   resb 128                        ; keys that are down,
hit:    resb 128                        ; and those that went down since they were asked for
bricks: resb COLUMNS * ROWS             ; 0 none, else glaze, 9: twice
balls:  resb BALLS * ball_size
sparks: resb SPARKS * spark_size
variables_end:

section .text
        jmp     0:boot
boot:   xor     ax, ax
        mov     ds, ax
        mov     es, ax
        cli
        mov     ss, ax
        mov     sp, 7c00h
        sti
        cld
        mov     ax, 0200h | SECTORS     ; DL is still the drive
        mov     cx, 0002h
        xor     dh, dh
        mov     bx, 7e00h
        int     13h
        jnc     start
        mov     si, .sorry
.say:   lodsb
        test    al, al
        jz      .halt
        mov     ah, 0eh
        mov     bx, 7
        int     10h
        jmp     .say
.halt:  hlt
        jmp     .halt
.sorry: db      "Kiln: the disk cannot be read", 0
        times   510 - ($ - $$) db 0
        dw      0aa55h

; ---------------------------------------------------------------------------------------------------------
start:  mov     di, 600h
        mov     cx, variables_end - 600h
        xor     al, al
        rep     stosb
        mov     ax, 0013h
        int     10h
        mov     ax, 1130h               ; the 8x8 font
        mov     bh, 3
        push    bp
        int     10h
        mov     [font], bp
        mov     [font + 2], es
        pop     bp
        xor     ax, ax
        mov     es, ax
        mov     ah, 0
        int     1ah
        in      al, 40h
        xor     dl, al
        or      dx, 1
        mov     [seed], dx
        call    colours
        cli
        mov     eax, [8 * 4]
        mov     [old8], eax
        mov     word [8 * 4], tick
        mov     word [8 * 4 + 2], 0
        mov     word [9 * 4], key
        mov     word [9 * 4 + 2], 0
        mov     al, 34h                 ; channel 0, mode 2
        out     43h, al
        mov     al, DIVISOR & 0ffh
        out     40h, al
        mov     al, DIVISOR >> 8
        out     40h, al
        sti
        call    title

; One picture after the other.
frame:  hlt
        mov     ax, [ticks]
        sub     ax, [last]
        cmp     ax, STEP
        jb      frame
        add     word [last], STEP
        cmp     ax, 8 * STEP            ; a slow computer shall not run after what is lost
        jb      .on
        mov     ax, [ticks]
        mov     [last], ax
.on:    inc     word [frames]
        mov     bx, KEY_M
        call    struck
        jz      .sound
        xor     word [muted], 1
.sound: mov     bx, [state]
        add     bx, bx
        call    [.states + bx]
        call    show
        jmp     frame
.states: dw     title_frame, play_frame, play_frame, over_frame

; ZF clear: the key of scan code BX went down since it was asked for.
struck: xor     al, al
        xchg    al, [hit + bx]
        test    al, al
        ret

; AX: 0 to 65535.
random: mov     ax, [seed]              ; xorshift, period 65535
        push    dx
        mov     dx, ax
        shl     dx, 7
        xor     ax, dx
        mov     dx, ax
        shr     dx, 9
        xor     ax, dx
        mov     dx, ax
        shl     dx, 8
        xor     ax, dx
        pop     dx
        mov     [seed], ax
        ret

; ---------------------------------------------------------------------------------------------------------
; Interrupts

; IRQ 0, 240 times a second: the tunes; the BIOS has its own tick when 65536 pulses are over.
tick:   push    ds
        pusha
        xor     ax, ax
        mov     ds, ax
        inc     word [ticks]
        mov     si, [noise]
        test    si, si
        jz      .tune
        dec     word [noisefor]
        jns     .done
        call    note
        mov     [noisefor], cx
        mov     [noise], si
        jcxz    .again
        jmp     .done
.again: mov     word [noise], 0
        mov     word [tunefor], 0
        jmp     .done
.tune:  mov     si, [tune]
        test    si, si
        jz      .done
        dec     word [tunefor]
        jns     .done
        call    note
        mov     [tunefor], cx
        mov     [tune], si
        test    cx, cx
        jnz     .done
        mov     ax, [tuneat]
        mov     [tune], ax
.done:  add     word [phase], DIVISOR
        jc      .bios
        mov     al, 20h
        out     20h, al
        popa
        pop     ds
        iret
.bios:  popa
        pop     ds
        jmp     far [cs:old8]

; The note at SI: CX its ticks, 0 at the end; SI the next one.
note:   lodsw
        mov     dx, ax
        lodsb
        movzx   cx, al
        in      al, 61h
        and     al, 0fch
        cmp     word [muted], 0
        jne     .off
        test    dx, dx
        jz      .off
        push    ax
        mov     al, 0b6h
        out     43h, al
        mov     al, dl
        out     42h, al
        mov     al, dh
        out     42h, al
        pop     ax
        or      al, 3
.off:   out     61h, al
        ret

; IRQ 1.
key:    push    ds
        push    ax
        push    bx
        xor     ax, ax
        mov     ds, ax
        in      al, 60h
        cmp     al, 0e0h
        jae     .done
        mov     bl, al
        and     bx, 7fh
        test    al, al
        setns   ah
        mov     [down + bx], ah
        or      [hit + bx], ah
        mov     word [idle], 0
.done:  mov     al, 20h
        out     20h, al
        pop     bx
        pop     ax
        pop     ds
        iret

; AX: a noise, which goes before the tune.
%macro NOISE 1
        mov     word [noisefor], 0
        mov     word [noise], %1
%endmacro

; ---------------------------------------------------------------------------------------------------------
; Colours: ramps from one to another, and for each glaze its four shades.

colours: mov    si, ramps
.ramp:  lodsb                           ; first, how many
        test    al, al
        jz      .clay
        mov     bl, al
        lodsb
        movzx   cx, al
        xor     bp, bp
.shade: mov     al, bl
        mov     dx, 3c8h
        out     dx, al
        inc     dx
        push    bx
        xor     bx, bx
        call    .mix
        mov     bx, 1
        call    .mix
        mov     bx, 2
        call    .mix
        pop     bx
        inc     bl
        inc     bp
        cmp     bp, cx
        jb      .shade
        add     si, 6
        jmp     .ramp
.mix:   movzx   ax, byte [si + bx + 3]  ; to - from
        movzx   di, byte [si + bx]
        sub     ax, di
        push    dx
        imul    bp
        idiv    cx
        pop     dx
        add     ax, di
        out     dx, al
        ret
.clay:  mov     al, CLAY
        mov     dx, 3c8h
        out     dx, al
        inc     dx
        mov     si, glazes
        mov     cx, 9
.glaze: mov     bl, 0
.four:  xor     bp, bp
.rgb:   movzx   ax, byte [ds:si + bp]
        call    .tone
        out     dx, al
        inc     bp
        cmp     bp, 3
        jb      .rgb
        inc     bl
        cmp     bl, 4
        jb      .four
        add     si, 3
        loop    .glaze
        ret
.tone:  cmp     bl, 1
        je      .same
        ja      .dark
        add     ax, 63                  ; light
        shr     ax, 1
.same:  ret
.dark:  mov     ah, 9
        sub     ah, bl
        sub     ah, bl                  ; 5 or 3 eighths
        mul     ah
        shr     ax, 3
        ret

ramps:  db      WHITE, 1, 63, 63, 63, 63, 63, 63
        db      GREY, 1, 38, 38, 46, 38, 38, 46
        db      SHADOW, 1, 1, 1, 4, 1, 1, 4
        db      SKY, 32, 3, 3, 12, 6, 5, 22
        db      SKY + 32, 32, 6, 5, 22, 22, 7, 20
        db      FLAME, 8, 0, 0, 0, 34, 5, 1
        db      FLAME + 8, 10, 34, 5, 1, 63, 26, 0
        db      FLAME + 18, 9, 63, 26, 0, 63, 56, 12
        db      FLAME + 27, 5, 63, 56, 12, 63, 63, 58
        db      STEEL, 16, 9, 11, 17, 60, 61, 63
        db      0
glazes: db      58, 15, 14
        db      62, 32, 8
        db      60, 51, 12
        db      20, 50, 20
        db      10, 48, 50
        db      18, 28, 60
        db      40, 20, 58
        db      60, 24, 46
        db      36, 38, 42

; ---------------------------------------------------------------------------------------------------------
; Drawing, into the segment in ES

; A rectangle: BX, DX its corner, CX wide, BP high, AL its colour. Keeps all but DI.
box:    pusha
        imul    di, dx, 320
        add     di, bx
.line:  push    cx
        push    di
        rep     stosb
        pop     di
        pop     cx
        add     di, 320
        dec     bp
        jnz     .line
        popa
        ret

; The text at SI (ended by 0) at BX, DX in colour AH, with a shadow. BX behind it.
text:   lodsb
        test    al, al
        jz      .end
        push    ax
        push    bx
        push    dx
        mov     ah, SHADOW
        inc     bx
        inc     dx
        call    glyph
        pop     dx
        pop     bx
        pop     ax
        call    glyph
        add     bx, 8
        jmp     text
.end:   ret

; The character AL at BX, DX in colour AH.
glyph:  pusha
        push    ds
        movzx   si, al
        shl     si, 3
        imul    di, dx, 320
        add     di, bx
        add     si, [font]
        mov     ds, [font + 2]
        mov     cx, 8
.line:  lodsb
        mov     bl, al
        push    di
.dot:   shl     bl, 1
        jnc     .next
        mov     [es:di], ah
.next:  inc     di
        test    bl, bl
        jnz     .dot
        pop     di
        add     di, 320
        loop    .line
        pop     ds
        popa
        ret

; The number EAX in decimal at `digits`: SI its first digit.
decimal: mov    si, digits + 11
        mov     byte [si], 0
        mov     ecx, 10
.next:  xor     edx, edx
        div     ecx
        add     dl, '0'
        dec     si
        mov     [si], dl
        test    eax, eax
        jnz     .next
        ret

; The stage into the picture.
clear:  push    ds
        mov     ax, BACK
        mov     es, ax
        mov     ax, STAGE
        mov     ds, ax
        xor     si, si
        xor     di, di
        mov     cx, 16000
        rep     movsd
        pop     ds
        ret

; The picture to the screen; after a blow it trembles.
show:   push    ds
        mov     ax, SCREEN
        mov     es, ax
        xor     si, si
        cmp     word [shake], 0
        je      .still
        dec     word [shake]
        mov     ax, [shake]
        and     ax, 2
        imul    si, ax, 320
.still: mov     ax, BACK
        mov     ds, ax
        xor     di, di
        mov     cx, 16000
        rep     movsd
        pop     ds
        ret

; ---------------------------------------------------------------------------------------------------------
; The title: a name in a fire

title:  mov     word [state], TITLE
        mov     word [idle], 0
        mov     ax, FIRE
        mov     es, ax
        xor     di, di
        xor     ax, ax
        mov     cx, 32000 / 2
        rep     stosw
        mov     cx, 320                 ; the bottom line feeds it
        mov     al, 31
        rep     stosb
        mov     ax, tunes.title
        mov     [tuneat], ax
        mov     [tune], ax
        mov     word [tunefor], 0
        ret

title_frame:
        call    burn
        mov     si, .name               ; eight times as large as it is in the ROM
        mov     bx, 36
.letter: lodsb
        test    al, al
        jz      .texts
        call    large
        add     bx, 62
        jmp     .letter
.name:  db      "KILN", 0
.texts: mov     ax, BACK
        mov     es, ax
        mov     si, .keys
        mov     bx, 24
        mov     dx, 98
        mov     ah, GREY
        call    text
        mov     si, .keys2
        mov     bx, 20
        mov     dx, 110
        call    text
        mov     eax, [best]
        test    eax, eax
        jz      .press
        push    eax
        mov     si, .best
        mov     bx, 112
        mov     dx, 6
        mov     ah, GREY
        call    text
        pop     eax
        call    decimal
        mov     ah, WHITE
        mov     bx, 160
        mov     dx, 6
        call    text
.press: test    byte [frames], 32
        jz      .asked
        mov     si, .space
        mov     bx, 104
        mov     dx, 136
        mov     ah, WHITE
        call    text
.asked: mov     bx, KEY_SPC
        call    struck
        mov     word [demo], 0
        jnz     game
        inc     word [idle]
        cmp     word [idle], 60 * 12
        jb      .stay
        mov     word [demo], 1
        jmp     game
.stay:  ret
.keys:  db      "Left and right: the bat   P: pause", 0
.keys2: db      "Space: serve  M: mute  Esc: give up", 0
.space: db      "Press Space...", 0
.best:  db      "Best", 0

; The letter AL at BX, 14, each dot 7 by 8, in the colours of a flame.
large:  pusha
        push    ds
        mov     cx, BACK
        mov     es, cx
        movzx   si, al
        shl     si, 3
        add     si, [font]
        mov     fs, [font + 2]
        mov     dx, 14
.line:  fs lodsb
        mov     ah, al
        push    bx
.dot:   shl     ah, 1
        jnc     .next
        pusha
        mov     cx, 8                   ; lines of the dot
        mov     ax, dx
.shade: push    cx
        mov     di, ax
        sub     di, 14
        shr     di, 2
        neg     di
        add     di, FLAME + 29
        push    ax
        mov     dx, ax
        mov     ax, di
        mov     cx, 7
        mov     bp, 1
        call    box
        pop     ax
        inc     ax
        pop     cx
        loop    .shade
        popa
.next:  add     bx, 7
        test    ah, ah
        jnz     .dot
        pop     bx
        add     dx, 8
        cmp     dx, 14 + 64
        jb      .line
        pop     ds
        popa
        ret

; Each spot of the fire is the one below it, a little cooler and a little to the side; then it is the picture.
burn:   push    ds
        mov     bp, [seed]
        mov     ax, FIRE
        mov     ds, ax
        mov     es, ax
        mov     si, 320
        mov     cx, 32000
.spot:  lodsb
        test    al, al
        jz      .cold
        mov     dx, bp                  ; xorshift
        shl     dx, 7
        xor     bp, dx
        mov     dx, bp
        shr     dx, 9
        xor     bp, dx
        mov     dx, bp
        shl     dx, 8
        xor     bp, dx
        mov     bx, bp
        mov     di, si
        sub     di, 321
        mov     dx, bx
        and     dx, 3
        sub     di, dx
        inc     di
        shr     bx, 8
        and     bl, 3
        cmp     bl, 1                   ; one in two
        adc     al, -1
        jns     .warm
        xor     al, al
.warm:  mov     [di], al
        dec     cx
        jnz     .spot
        jmp     .draw
.cold:  mov     [si - 321], al
        dec     cx
        jnz     .spot
.draw:  pop     ds
        mov     [seed], bp
        push    ds
        mov     ax, BACK
        mov     es, ax
        xor     di, di
        mov     eax, FLAME * 01010101h
        mov     cx, 8000
        rep     stosd
        mov     ax, FIRE
        mov     ds, ax
        xor     si, si
        mov     cx, 8000
.four:  lodsd
        add     eax, FLAME * 01010101h
        stosd
        dec     cx
        jnz     .four
        pop     ds
        ret

; ---------------------------------------------------------------------------------------------------------
; A game

game:   mov     dword [score], 0
        mov     word [lives], 3
        mov     word [level], 0
        mov     word [tune], 0
        mov     word [tuneat], 0
        jmp     begin

; The level's bricks.
begin:  mov     di, bricks
        mov     word [left], 0
        xor     dx, dx                  ; row
.row:   xor     cx, cx                  ; column
.brick: mov     bx, [level]
        and     bx, 7
        add     bx, bx
        call    [patterns + bx]         ; AL its glaze, 0 none
        mov     [di], al
        inc     di
        test    al, al
        jz      .none
        inc     word [left]
.none:  inc     cx
        cmp     cx, COLUMNS
        jb      .brick
        inc     dx
        cmp     dx, ROWS
        jb      .row
        mov     ax, [level]
        cmp     ax, 8
        jb      .slow
        mov     ax, 8
.slow:  imul    ax, ax, 24
        add     ax, 480                 ; 1.9 dots a picture
        mov     [speed], ax
        mov     word [drop], 0
        mov     di, sparks
        mov     cx, SPARKS * spark_size
        push    ds
        pop     es
        xor     al, al
        rep     stosb
        call    stage
        NOISE   tunes.begin

; A ball on the bat.
serve:  mov     word [state], SERVE
        mov     word [timer], 0
        mov     word [wide], 20
        cmp     word [bat], 0
        jne     .there
        mov     word [bat], 160
.there: push    ds
        pop     es
        mov     di, balls
        mov     cx, BALLS * ball_size
        xor     al, al
        rep     stosb
        mov     word [balls + ball.on], 1
        mov     word [count], 1
        ret

patterns: dw    wall, checks, arch, stripes, pot, steps, islands, keep

; DX the row, CX the column: AL 1 to 8 a glaze, 9 a brick that takes two blows, 0 none.
wall:   cmp     dx, 6
        jae     none
glaze:  mov     al, dl
        inc     al
        ret
none:   xor     al, al
        ret
checks: mov     ax, dx
        add     ax, cx
        test    al, 1
        jz      none
        jmp     glaze
arch:   mov     ax, cx                  ; columns from the middle
        call    middle
        add     ax, 1
        cmp     ax, dx
        jb      glaze
        je      hard
        cmp     dx, 0
        je      glaze
        jmp     none
hard:   mov     al, 9
        ret
stripes: test   cl, 1
        jnz     none
        cmp     dx, 7
        je      hard
        mov     al, cl
        shr     al, 1
        inc     al
        ret
pot:    mov     ax, cx
        call    middle
        mov     bx, dx
        cmp     al, [.profile + bx]
        ja      none
        je      hard
        jmp     glaze
.profile: db    3, 2, 3, 5, 6, 6, 5, 3, 0
steps:  mov     ax, cx
        shr     ax, 1
        cmp     ax, dx
        jb      none
        je      hard
        jmp     glaze
islands: mov    ax, dx
        and     al, 3
        cmp     al, 3
        je      none
        mov     ax, cx
        mov     bl, 5
        div     bl
        cmp     ah, 4
        je      none
        mov     al, dl
        shr     al, 2
        add     al, al
        add     al, 2
        ret
keep:   cmp     dx, 7
        je      hard
        test    dl, dl
        jz      .wall
        mov     ax, cx
        test    cl, cl
        jz      hard
        cmp     cl, COLUMNS - 1
        je      hard
        jmp     glaze
.wall:  test    cl, 1
        jz      hard
        jmp     none

; AX the column: how far it is from the middle, 0 to 6.
middle: cmp     ax, 7
        jae     .right
        neg     ax
        add     ax, 6
        ret
.right: sub     ax, 7
        ret

; ---------------------------------------------------------------------------------------------------------
; What does not move: sky, walls, bricks, the line above

stage:  mov     ax, STAGE
        mov     es, ax
        xor     di, di
        xor     dx, dx
.line:  mov     ax, dx                  ; the shade of the line, between two of them by a pattern of dots
        shl     ax, 6
        mov     bx, 200
        push    dx
        xor     dx, dx
        div     bx
        mov     bx, dx                  ; rest, 0 to 199
        pop     dx
        add     al, SKY
        xor     cx, cx
.dot:   push    ax
        mov     ah, cl
        xor     ah, dl
        and     ah, 1
        jz      .even
        cmp     bx, 66
        jmp     .put
.even:  cmp     bx, 133
.put:   jb      .low
        cmp     al, SKY + 63
        je      .low
        inc     al
.low:   stosb
        pop     ax
        inc     cx
        cmp     cx, 320
        jb      .dot
        inc     dx
        cmp     dx, 200
        jb      .line
        mov     si, 0                   ; walls: steel that shines in the middle
.wall:  mov     al, [.shine + si]
        mov     bx, si
        mov     dx, TOP - 8
        mov     cx, 1
        mov     bp, 200 - TOP + 8
        call    box
        mov     bx, RIGHT
        add     bx, si
        call    box
        mov     bx, si
        lea     dx, [si + TOP - 8]
        mov     cx, 320
        sub     cx, si
        sub     cx, si
        mov     bp, 1
        call    box
        inc     si
        cmp     si, 8
        jb      .wall
        xor     si, si                  ; bricks
.each:  call    brick
        inc     si
        cmp     si, COLUMNS * ROWS
        jb      .each
        ret
.shine: db      STEEL + 3, STEEL + 7, STEEL + 11, STEEL + 14, STEEL + 11, STEEL + 8, STEEL + 5, STEEL + 2

; Where brick SI is: BX, DX.
place:  mov     ax, si
        mov     bl, COLUMNS
        div     bl
        movzx   bx, ah
        imul    bx, BRICK_W
        add     bx, BRICK_X
        movzx   dx, al
        imul    dx, BRICK_H
        add     dx, BRICK_Y
        ret

; Brick SI onto the stage, if it is there.
brick:  pusha
        mov     al, [bricks + si]
        test    al, al
        jz      .none
        dec     al
        shl     al, 2
        add     al, CLAY
        push    ax
        call    place
        pop     ax
        mov     cx, BRICK_W - 1
        mov     bp, BRICK_H - 1
        push    ax
        push    bx
        push    dx
        mov     al, SHADOW
        inc     bx
        inc     dx
        call    box
        pop     dx
        pop     bx
        pop     ax
        inc     al
        call    box                     ; plain
        dec     al
        mov     bp, 1
        call    box                     ; light above
        push    cx
        mov     cx, 1
        mov     bp, BRICK_H - 1
        call    box                     ; and at the left
        pop     cx
        push    dx
        add     dx, BRICK_H - 2
        add     al, 3
        mov     bp, 1
        call    box                     ; edge below
        pop     dx
        push    bx
        add     bx, BRICK_W - 2
        mov     cx, 1
        mov     bp, BRICK_H - 1
        call    box
        pop     bx
        sub     al, 1
        add     bx, 1
        add     dx, BRICK_H - 3
        mov     cx, BRICK_W - 3
        mov     bp, 1
        call    box
.none:  popa
        ret

; Where brick SI was: sky again. The neighbours' edges are drawn anew.
unbrick: pusha
        push    ds
        call    place
        mov     ax, STAGE
        mov     es, ax
        mov     bp, BRICK_H
.line:  imul    di, dx, 320
        add     di, bx
        mov     ax, dx
        shl     ax, 6
        mov     cl, 200
        div     cl
        add     al, SKY
        mov     cx, BRICK_W
        rep     stosb
        inc     dx
        dec     bp
        jnz     .line
        pop     ds
        cmp     si, COLUMNS + 1
        jb      .right
        sub     si, COLUMNS + 1
        call    brick
        add     si, COLUMNS + 1
.right: mov     cx, 1
        call    .neighbour
        mov     cx, -1
        call    .neighbour
        mov     cx, COLUMNS
        call    .neighbour
        mov     cx, -COLUMNS
        call    .neighbour
        popa
        ret
.neighbour:
        push    si
        add     si, cx
        cmp     si, COLUMNS * ROWS
        jae     .out
        call    brick
.out:   pop     si
        ret

; ---------------------------------------------------------------------------------------------------------
; A picture of the game

play_frame:
        mov     bx, KEY_ESC
        call    struck
        jnz     title
        cmp     word [demo], 0
        je      .person
        mov     bx, KEY_SPC             ; somebody wants to play
        call    struck
        jz      .person
        mov     word [demo], 0
        jmp     game
.person: mov    bx, KEY_P
        call    struck
        jz      .pause
        xor     word [paused], 1
.pause: cmp     word [paused], 0
        je      .run
        call    draw
        mov     si, .word
        mov     bx, 132
        mov     dx, 120
        mov     ah, WHITE
        jmp     text
.word:  db      "Paused", 0
.run:   call    move_bat
        cmp     word [state], SERVE
        jne     .fly
        mov     ax, [bat]               ; the ball lies on the bat
        shl     ax, 6
        mov     [balls + ball.x], ax
        mov     word [balls + ball.y], (BAT_Y - 3) << 6
        inc     word [timer]
        mov     bx, KEY_SPC
        call    struck
        jnz     .go
        cmp     word [demo], 0
        je      .still
        cmp     word [timer], 40
        jb      .still
.go:    mov     word [state], PLAY
        mov     si, balls
        call    random
        and     ax, 7
        add     ax, 4
        call    aim
        NOISE   tunes.serve
        jmp     .still
.fly:   mov     si, balls
.ball:  cmp     word [si + ball.on], 0
        je      .next
        call    move_ball
.next:  add     si, ball_size
        cmp     si, balls + BALLS * ball_size
        jb      .ball
        call    move_drop
        cmp     word [count], 0
        jne     .alive
        call    lost
.alive: cmp     word [left], 0
        jne     .still
        inc     word [level]
        call    begin
.still: call    move_sparks
        jmp     draw

lost:   mov     word [shake], 12
        NOISE   tunes.lost
        mov     word [drop], 0
        dec     word [lives]
        jz      .over
        jmp     serve
.over:  mov     word [state], OVER
        mov     word [timer], 0
        NOISE   tunes.over
        cmp     word [demo], 0
        jne     .shown
        mov     eax, [score]
        cmp     eax, [best]
        jbe     .shown
        mov     [best], eax
.shown: ret

over_frame:
        call    move_sparks
        call    draw
        mov     si, .word
        mov     bx, 124
        mov     dx, 120
        mov     ah, WHITE
        call    text
        inc     word [timer]
        cmp     word [timer], 60 * 5
        jae     title
        cmp     word [timer], 40
        jb      .stay
        mov     bx, KEY_SPC
        call    struck
        jnz     title
        mov     bx, KEY_ESC
        call    struck
        jnz     title
.stay:  ret
.word:  db      "Game over", 0

; By the keys, or, in the demonstration, after the lowest ball.
move_bat:
        mov     ax, [bat]
        mov     [batold], ax
        cmp     word [demo], 0
        jne     .demo
        mov     bl, [down + KEY_LFT]
        or      bl, [down + KEY_A]
        jz      .right
        sub     ax, 5
.right: mov     bl, [down + KEY_RGT]
        or      bl, [down + KEY_D]
        jz      .limit
        add     ax, 5
        jmp     .limit
.demo:  xor     bx, bx                  ; y
        mov     cx, ax
        mov     si, balls
.ball:  cmp     word [si + ball.on], 0
        je      .next
        cmp     [si + ball.y], bx
        jb      .next
        mov     bx, [si + ball.y]
        mov     cx, [si + ball.x]
        shr     cx, 6
.next:  add     si, ball_size
        cmp     si, balls + BALLS * ball_size
        jb      .ball
        mov     dx, [frames]            ; not always with its middle
        shr     dx, 3
        and     dx, 15
        sub     dx, 7
        add     cx, dx
        cmp     cx, ax
        jl      .back
        sub     cx, ax
        cmp     cx, 5
        jle     .short
        mov     cx, 5
.short: add     ax, cx
        jmp     .limit
.back:  sub     cx, ax
        cmp     cx, -5
        jge     .short2
        mov     cx, -5
.short2: add    ax, cx
.limit: mov     bx, LEFT
        add     bx, [wide]
        cmp     ax, bx
        jge     .low
        mov     ax, bx
.low:   mov     bx, RIGHT
        sub     bx, [wide]
        cmp     ax, bx
        jle     .high
        mov     ax, bx
.high:  mov     [bat], ax
        ret

; Ball SI flies off the bat: AX 0 to 15, from far left to far right.
aim:    mov     bx, ax
        cmp     bx, 8
        jae     .right
        add     bx, bx
        mov     ax, [.sine + bx]
        neg     ax
        jmp     .set
.right: neg     bx
        add     bx, 15
        add     bx, bx
        mov     ax, [.sine + bx]
.set:   imul    word [speed]
        shrd    ax, dx, 8
        mov     [si + ball.dx], ax
        mov     ax, [.cosine + bx]
        imul    word [speed]
        shrd    ax, dx, 8
        neg     ax
        mov     [si + ball.dy], ax
        ret
.sine:  dw      222, 202, 178, 150, 120, 88, 53, 18     ; of 60, 52, ... 4 degrees, times 256
.cosine: dw     128, 158, 184, 207, 226, 241, 250, 255

; Ball SI: first sideways, then up or down, each with what is in the way.
move_ball:
        mov     ax, [si + ball.x]
        add     ax, [si + ball.dx]
        cmp     ax, (LEFT + 2) << 6
        jl      .side
        cmp     ax, (RIGHT - 3) << 6
        jg      .side
        mov     [si + ball.x], ax
        mov     bx, ax
        mov     cx, 2 << 6
        test    word [si + ball.dx], 8000h
        jz      .front
        neg     cx
.front: add     bx, cx
        mov     dx, [si + ball.y]
        call    strike
        jnz     .up
        neg     word [si + ball.dx]
        jmp     .up
.side:  neg     word [si + ball.dx]
        NOISE   tunes.wall
.up:    mov     ax, [si + ball.y]
        add     ax, [si + ball.dy]
        cmp     ax, (TOP + 2) << 6
        jl      .top
        mov     [si + ball.y], ax
        mov     dx, ax
        mov     cx, 2 << 6
        test    word [si + ball.dy], 8000h
        jz      .below
        neg     cx
.below: add     dx, cx
        mov     bx, [si + ball.x]
        call    strike
        jnz     .bat
        neg     word [si + ball.dy]
        ret
.top:   neg     word [si + ball.dy]
        NOISE   tunes.wall
        ret
.bat:   cmp     word [si + ball.dy], 0
        jle     .end
        mov     ax, [si + ball.y]
        cmp     ax, (BAT_Y - 2) << 6
        jl      .end
        cmp     ax, (BAT_Y + 5) << 6
        jg      .gone
        mov     ax, [si + ball.x]
        shr     ax, 6
        sub     ax, [bat]
        add     ax, [wide]
        add     ax, 3
        js      .end
        mov     bx, [wide]
        add     bx, bx
        add     bx, 6
        cmp     ax, bx
        jg      .end
        shl     ax, 4
        xor     dx, dx
        div     bx
        cmp     ax, 15
        jbe     .aim
        mov     ax, 15
.aim:   call    aim
        mov     word [si + ball.y], (BAT_Y - 3) << 6
        inc     word [speed]            ; each blow a little faster
        cmp     word [speed], 230
        jbe     .noise
        mov     word [speed], 230
.noise: NOISE   tunes.bat
        mov     cx, 3
        mov     bx, [si + ball.x]
        mov     dx, (BAT_Y - 1) << 6
        xor     ax, ax
        jmp     spray
.gone:  cmp     ax, 204 << 6
        jl      .end
        mov     word [si + ball.on], 0
        dec     word [count]
.end:   ret

; Something at BX, DX (10.6): ZF set when there was a brick, which has felt it.
strike: pusha
        shr     bx, 6
        shr     dx, 6
        sub     bx, BRICK_X
        js      .none
        sub     dx, BRICK_Y
        js      .none
        mov     ax, dx
        mov     cl, BRICK_H
        div     cl
        cmp     al, ROWS
        jae     .none
        movzx   di, al
        imul    di, COLUMNS
        mov     ax, bx
        mov     cl, BRICK_W
        div     cl
        cmp     al, COLUMNS
        jae     .none
        cbw
        and     ax, 15
        add     di, ax
        mov     al, [bricks + di]
        test    al, al
        jz      .none
        mov     si, di
        cmp     al, 9
        je      .hard
        mov     byte [bricks + si], 0
        dec     word [left]
        push    ax
        call    unbrick
        call    place
        shl     bx, 6
        shl     dx, 6
        add     bx, (BRICK_W / 2) << 6
        add     dx, (BRICK_H / 2) << 6
        pop     ax
        push    ax
        dec     al
        shl     al, 2
        add     al, CLAY + 1
        mov     cx, 9
        xor     ah, ah
        call    spray
        pop     ax
        movzx   eax, al                 ; the higher the dearer
        neg     eax
        add     eax, 10
        imul    eax, eax, 10
        add     [score], eax
        mov     word [noisefor], 0      ; each row another note
        push    bx
        mov     bl, COLUMNS
        mov     ax, si
        div     bl
        movzx   bx, al
        imul    bx, tunes.row_size
        add     bx, tunes.rows
        mov     [noise], bx
        pop     bx
        cmp     word [drop], 0          ; one brick in eight holds something
        jne     .was
        call    random
        test    ax, 7
        jnz     .was
        call    random
        and     ax, 3
        mov     di, ax
        movzx   ax, byte [.letters + di]
        mov     [drop], ax
        mov     [dropx], bx
        mov     [dropy], dx
.was:   popa
        cmp     al, al
        ret
.hard:  mov     byte [bricks + si], 5   ; once more, then it breaks
        call    brick
        add     dword [score], 5
        NOISE   tunes.hard
        popa
        cmp     al, al
        ret
.none:  popa
        or      sp, sp
        ret
.letters: db    "WMLW"

; What falls: W a wider bat, M more balls, L another life.
move_drop:
        cmp     word [drop], 0
        je      .end
        add     word [dropy], 70
        mov     ax, [dropy]
        cmp     ax, 200 << 6
        jge     .gone
        cmp     ax, (BAT_Y - 6) << 6
        jl      .end
        cmp     ax, (BAT_Y + 6) << 6
        jg      .end
        mov     ax, [dropx]
        shr     ax, 6
        sub     ax, [bat]
        jns     .right
        neg     ax
.right: mov     bx, [wide]
        add     bx, 6
        cmp     ax, bx
        jg      .end
        add     dword [score], 50
        NOISE   tunes.gift
        mov     bx, [dropx]
        mov     dx, [dropy]
        mov     ax, WHITE
        mov     cx, 16
        call    spray
        mov     ax, [drop]
        cmp     al, 'W'
        je      .wide
        cmp     al, 'M'
        je      .more
        inc     word [lives]
        jmp     .gone
.wide:  mov     word [wide], 30
        jmp     .gone
.more:  mov     di, balls               ; each free ball is born from one that flies
.free:  cmp     word [di + ball.on], 0
        jne     .next
        mov     si, balls
.find:  cmp     word [si + ball.on], 0
        jne     .found
        add     si, ball_size
        cmp     si, balls + BALLS * ball_size
        jb      .find
        jmp     .gone
.found: mov     eax, [si + ball.x]
        mov     [di + ball.x], eax
        mov     si, di
        call    random
        and     ax, 15
        push    di
        call    aim
        pop     di
        mov     word [di + ball.on], 1
        inc     word [count]
.next:  add     di, ball_size
        cmp     di, balls + BALLS * ball_size
        jb      .free
.gone:  mov     word [drop], 0
.end:   ret

; CX sparks from BX, DX (10.6), of colour AX or glowing (0).
spray:  pusha
        mov     di, sparks
        mov     bp, ax
.find:  cmp     word [di + spark.life], 0
        je      .take
.next:  add     di, spark_size
        cmp     di, sparks + SPARKS * spark_size
        jb      .find
        popa
        ret
.take:  mov     [di + spark.x], bx
        mov     [di + spark.y], dx
        mov     [di + spark.kind], bp
        call    random
        push    ax
        and     ax, 127
        sub     ax, 64
        mov     [di + spark.dx], ax
        pop     ax
        push    ax
        shr     ax, 8
        and     ax, 127
        sub     ax, 90
        mov     [di + spark.dy], ax
        pop     ax
        shr     ax, 5
        and     ax, 15
        add     ax, 16
        mov     [di + spark.life], ax
        loop    .next
        popa
        ret

move_sparks:
        mov     si, sparks
.each:  cmp     word [si + spark.life], 0
        je      .next
        dec     word [si + spark.life]
        add     word [si + spark.dy], 4
        mov     ax, [si + spark.dx]
        add     [si + spark.x], ax
        mov     ax, [si + spark.dy]
        add     [si + spark.y], ax
.next:  add     si, spark_size
        cmp     si, sparks + SPARKS * spark_size
        jb      .each
        ret

; ---------------------------------------------------------------------------------------------------------
; The picture: the stage, and what moves upon it

draw:   call    clear
        mov     ax, BACK
        mov     es, ax
        mov     si, balls               ; shadows first
.shade: cmp     word [si + ball.on], 0
        je      .noshade
        call    at_ball
        add     bx, 3
        add     dx, 4
        mov     al, SHADOW
        call    disc
.noshade: add   si, ball_size
        cmp     si, balls + BALLS * ball_size
        jb      .shade
        call    draw_bat
        mov     si, sparks
.spark: cmp     word [si + spark.life], 0
        je      .dark
        mov     bx, [si + spark.x]
        sar     bx, 6
        mov     dx, [si + spark.y]
        sar     dx, 6
        cmp     bx, LEFT
        jl      .dark
        cmp     bx, RIGHT - 2
        jg      .dark
        cmp     dx, TOP
        jl      .dark
        cmp     dx, 198
        jg      .dark
        mov     ax, [si + spark.kind]
        test    ax, ax
        jnz     .plain
        mov     ax, [si + spark.life]
        cmp     ax, 31
        jbe     .glow
        mov     ax, 31
.glow:  add     ax, FLAME
.plain: imul    di, dx, 320
        add     di, bx
        stosb
        cmp     word [si + spark.life], 8
        jb      .dark
        mov     [es:di], al
        mov     [es:di + 319], al
        mov     [es:di + 320], al
.dark:  add     si, spark_size
        cmp     si, sparks + SPARKS * spark_size
        jb      .spark
        mov     si, balls
.ball:  cmp     word [si + ball.on], 0
        je      .noball
        call    at_ball
        mov     al, STEEL + 12
        call    disc
        imul    di, dx, 320
        add     di, bx
        mov     byte [es:di - 321], WHITE
        mov     byte [es:di - 320], WHITE
        mov     byte [es:di - 1], WHITE
        mov     byte [es:di + 322], STEEL + 6
        mov     byte [es:di + 641], STEEL + 6
        mov     byte [es:di + 321], STEEL + 8
.noball: add    si, ball_size
        cmp     si, balls + BALLS * ball_size
        jb      .ball
        mov     ax, [drop]
        test    ax, ax
        jz      .lines
        mov     bx, [dropx]
        shr     bx, 6
        sub     bx, 7
        mov     dx, [dropy]
        shr     dx, 6
        sub     dx, 4
        push    ax
        mov     cx, 15
        mov     bp, 9
        mov     al, CLAY + 4 * 2 + 3
        call    box
        inc     bx
        inc     dx
        mov     cx, 13
        mov     bp, 7
        mov     al, CLAY + 4 * 2 + 1
        call    box
        mov     bp, 1
        mov     al, CLAY + 4 * 2
        call    box
        pop     ax
        add     bx, 3
        mov     ah, SHADOW
        call    glyph
.lines: mov     si, .score
        mov     bx, 10
        mov     dx, 2
        mov     ah, GREY
        call    text
        mov     eax, [score]
        call    decimal
        mov     ah, WHITE
        mov     bx, 58
        mov     dx, 2
        call    text
        mov     si, .level
        mov     bx, 136
        mov     dx, 2
        mov     ah, GREY
        call    text
        movzx   eax, word [level]
        inc     eax
        call    decimal
        mov     ah, WHITE
        mov     bx, 184
        mov     dx, 2
        call    text
        mov     cx, [lives]
        jcxz    .none
        cmp     cx, 8
        jbe     .few
        mov     cx, 8
.few:   mov     bx, 308
.life:  mov     dx, 6
        mov     al, STEEL + 12
        call    disc
        imul    di, dx, 320
        add     di, bx
        mov     byte [es:di - 321], WHITE
        sub     bx, 9
        loop    .life
.none:  cmp     word [demo], 0
        je      .end
        test    byte [frames], 32
        jz      .end
        mov     si, .demo
        mov     bx, 96
        mov     dx, 150
        mov     ah, WHITE
        call    text
.end:   ret
.score: db      "Score", 0
.level: db      "Level", 0
.demo:  db      "Space: your turn", 0

; Ball SI's middle: BX, DX.
at_ball: mov    bx, [si + ball.x]
        shr     bx, 6
        mov     dx, [si + ball.y]
        shr     dx, 6
        cmp     dx, 194
        jbe     .end
        mov     dx, 194
.end:   ret

; Five dots across in colour AL around BX, DX.
disc:   pusha
        sub     dx, 2
        mov     bp, 1
        mov     cx, 3
        dec     bx
        call    box
        inc     dx
        dec     bx
        mov     cx, 5
        mov     bp, 3
        call    box
        add     dx, 3
        inc     bx
        mov     cx, 3
        mov     bp, 1
        call    box
        popa
        ret

; The bat: a bar of steel with glowing ends.
draw_bat:
        mov     bx, [bat]
        sub     bx, [wide]
        mov     cx, [wide]
        add     cx, cx
        add     bx, 2
        mov     dx, BAT_Y + 4
        mov     bp, 5
        mov     al, SHADOW
        call    box
        sub     bx, 2
        mov     dx, BAT_Y
        xor     di, di
.line:  mov     al, [.shine + di]
        mov     bp, 1
        call    box
        inc     dx
        inc     di
        cmp     di, 7
        jb      .line
        mov     dx, BAT_Y + 1
        mov     bp, 5
        mov     cx, 4
        mov     al, FLAME + 14
        call    box
        mov     ax, [wide]
        add     ax, ax
        add     bx, ax
        sub     bx, 4
        mov     al, FLAME + 14
        call    box
        mov     dx, BAT_Y + 2
        mov     bp, 2
        inc     bx
        mov     cx, 2
        mov     al, FLAME + 24
        call    box
        sub     bx, [wide]
        sub     bx, [wide]
        add     bx, 4
        call    box
        ret
.shine: db      STEEL + 10, STEEL + 14, STEEL + 15, STEEL + 12, STEEL + 9, STEEL + 6, STEEL + 3

; ---------------------------------------------------------------------------------------------------------
; Tunes: counts of the timer (0 silence) and ticks of 240 Hz, to a note of no ticks

A3      equ     5424
B3      equ     4832
C4      equ     4561
D4      equ     4063
E4      equ     3620
F4      equ     3417
G4      equ     3044
A4      equ     2712
B4      equ     2416
C5      equ     2280
D5      equ     2032
E5      equ     1810
G5      equ     1522
A5      equ     1356
C6      equ     1140
E6      equ     905

%macro NOTES 2-*
%rep %0 / 2
        dw      %1
        db      %2
%rotate 2
%endrep
        dw      0
        db      0
%endmacro

tunes:
.title: NOTES   A3, 26, 0, 4, E4, 26, 0, 4, A4, 26, 0, 4, C5, 26, 0, 4, B4, 26, 0, 4, G4, 26, 0, 4, E4, 26, 0, 4, 0, 30, \
                F4, 26, 0, 4, A4, 26, 0, 4, C5, 26, 0, 4, E5, 26, 0, 4, D5, 26, 0, 4, B4, 26, 0, 4, G4, 26, 0, 4, 0, 30, \
                A4, 26, 0, 4, C5, 26, 0, 4, E5, 26, 0, 4, A5, 26, 0, 4, G5, 26, 0, 4, E5, 26, 0, 4, C5, 26, 0, 4, 0, 30, \
                D5, 13, E5, 13, D5, 13, C5, 13, B4, 26, 0, 4, E4, 26, 0, 4, A4, 50, 0, 100
.begin: NOTES   A4, 12, C5, 12, E5, 12, A5, 24
.serve: NOTES   E5, 6, A5, 8
.lost:  NOTES   G4, 14, F4, 14, E4, 14, D4, 14, A3, 40
.over:  NOTES   A4, 30, G4, 30, F4, 30, E4, 30, D4, 30, C4, 30, B3, 30, A3, 90
.gift:  NOTES   C5, 6, E5, 6, G5, 6, C6, 12
.wall:  NOTES   B3, 4
.bat:   NOTES   E4, 8
.hard:  NOTES   E6, 3, 0, 2, E6, 3
.rows:  NOTES   C6, 8
.row_size equ   $ - .rows
        NOTES   A5, 8
        NOTES   G5, 8
        NOTES   E5, 8
        NOTES   D5, 8
        NOTES   C5, 8
        NOTES   A4, 8
        NOTES   G4, 8

        times   (SECTORS + 1) * 512 - ($ - $$) db 0
