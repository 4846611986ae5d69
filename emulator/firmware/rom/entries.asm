; The fixed places (PC AT Technical Reference, BIOS listing), in order of address.

        AT 0e05bh
        jmp     post

        AT 0e2c3h                       ; NMI: nothing here can cause one
        iret

        AT 0e3feh
        jmp     int13

; Fixed disk parameter tables would lie here (INT 41h, 46h): the core fills two in the extended BIOS data area.
        AT 0e401h
        times 16 db 0

        AT 0e6f2h
        jmp     int19

        AT 0e6f5h                       ; INT 15h/C0h: system configuration
configuration:
        dw      8                       ; bytes that follow
        db      0fch                    ; model: PC AT
        db      00h                     ; submodel
        db      01h                     ; BIOS revision
        ; feature byte 1: second 8259A, real-time clock, INT 15h/4Fh, no INT 15h/41h; extended BIOS data area
        db      70h | 04h
        db      40h                     ; feature byte 2: INT 16h/09h
        db      00h, 00h, 00h

        AT 0e729h                       ; divisors of the UART for 110..9600 baud
baud_divisors:
        dw      1047, 768, 384, 192, 96, 48, 24, 12

        AT 0e739h
        jmp     int14

        AT 0e82eh
        jmp     int16

        AT 0e987h
        jmp     irq1

        AT 0ec59h
        jmp     int13

        AT 0ef57h
        jmp     irq6

        AT 0efc7h                       ; INT 1Eh: diskette parameters, 1.44 MB
diskette_parameters:
        db      0afh, 02h, 25h, 02h, 18, 1bh, 0ffh, 6ch, 0f6h, 0fh, 08h

        AT 0efd2h
        jmp     int17

        AT 0f065h
        jmp     int10

; INT 1Dh: the 6845 registers of modes 0-1, 2-3, 4-6 and 7, then regen lengths, columns, modes (CGA and MDA).
        AT 0f0a4h
        db      38h, 28h, 2dh, 0ah, 1fh, 6, 19h, 1ch, 2, 7, 6, 7, 0, 0, 0, 0
        db      71h, 50h, 5ah, 0ah, 1fh, 6, 19h, 1ch, 2, 7, 6, 7, 0, 0, 0, 0
        db      38h, 28h, 2dh, 0ah, 7fh, 6, 64h, 70h, 2, 1, 6, 7, 0, 0, 0, 0
        db      61h, 50h, 52h, 0fh, 19h, 6, 19h, 19h, 2, 0dh, 0bh, 0ch, 0, 0, 0, 0
        dw      0800h, 1000h, 4000h, 4000h
        db      40, 40, 80, 80, 40, 40, 80, 80
        db      2ch, 28h, 2dh, 29h, 2ah, 2eh, 1eh, 29h

        AT 0f841h
        jmp     int12

        AT 0f84dh
        jmp     int11

        AT 0f859h
        jmp     int15

        AT 0fa6eh                       ; 8x8 font, first half: where the CGA's software looks for it
        incbin  "font-8x8.bin", 0, 1024

        AT 0fe6eh
        jmp     int1a

        AT 0fea5h
        jmp     irq0

; Offsets of the handlers in this segment for vectors 00h-1Fh and 70h-77h; SERVICE_TABLES writes the IVT from them.
        AT ROM_VECTORS_LOW
        dw      exception00, dummy_iret, 0e2c3h, dummy_iret, dummy_iret, 0ff54h, exception06, exception07
        dw      0fea5h, 0e987h, irq2, irq3, irq4, irq5, 0ef57h, irq7
        dw      0f065h, 0f84dh, 0f841h, 0e3feh, 0e739h, 0f859h, 0e82eh, 0efd2h
        dw      int18, 0e6f2h, 0fe6eh, dummy_iret, dummy_iret, 0f0a4h, 0efc7h, 0
        dw      irq8, irq9, irq_slave, irq_slave, irq12, irq13, irq14, irq_slave

        AT 0ff53h
        iret

        AT 0ff54h                       ; INT 05h, print screen: no printer; 0050:0000 stays "not in progress"
        iret

        AT 0fff0h
        jmp     0f000h:0e05bh
        db      "01/01/26"              ; FFFF5h: date of the ROM
        db      0
        AT 0fffeh
        db      0fch                    ; model
        db      0
