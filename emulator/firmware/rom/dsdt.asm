; The DSDT: what is on this board and cannot be found out by looking (ACPI 6.4). Placed in the ROM as it is; the firmware
; (emulator/core/bios/acpi-tables.ts) fills in the checksum.

%include "aml.inc"

dsdt:
        db      "DSDT"
        dd      dsdt_end - dsdt
        db      2, 0                    ; 64-bit integers; checksum
        db      "RNGSD ", "RINGSIDE"
        dd      1
        db      "RNGS"
        dd      1

        ; S3, suspend to memory: SLP_TYP 1
        NAME    {"_S3_"}
        PACKAGE 4
        db      01h, 01h, 00h, 00h
        END
        ; S5, soft off: SLP_TYP 0
        NAME    {"_S5_"}
        PACKAGE 4
        db      00h, 00h, 00h, 00h
        END

        ; The interrupt model the system has chosen: 0 the 8259A, 1 the I/O APIC
        NAME    {"PICM"}
        db      00h
        METHOD  {"_PIC"}, 1
        db      70h, 68h, "PICM"        ; Store (Arg0, PICM)
        END

        SCOPE   '\', "_SB_"

        DEVICE  "PCI0"
        NAME    "_HID"
        EISA    'P', 'N', 'P', 0a03h
        NAME    "_UID"
        db      00h
        NAME    "_CRS"
        BUFFER
        BUS_RANGE 0, 0ffh
        IO_PORTS 0cf8h, 8
        IO_RANGE 0, 0cf7h
        IO_RANGE 0d00h, 0ffffh
        MEMORY_RANGE 0a0000h, 0bffffh
        MEMORY_RANGE 0c0000000h, 0febfffffh
        END_TAG
        END

        ; INTx of every slot: with the 8259A through the links, with the I/O APIC at inputs 16-19. INTA# of device 1 is
        ; PIRQA, that of device 2 PIRQB, and so on round.
        METHOD  "_PRT", 0
        IF
        db      "PICM"
        db      0a4h                    ; Return
        PACKAGE 124
%assign slot 1
%rep 31
%assign pin 0
%rep 4
        PACKAGE 4
        DWORD_  (slot << 16) | 0ffffh
        BYTE_   pin
        db      00h
        BYTE_   16 + ((slot + pin + 3) & 3)
        END
%assign pin pin + 1
%endrep
%assign slot slot + 1
%endrep
        END
        END
        db      0a4h
        PACKAGE 124
%assign slot 1
%rep 31
%assign pin 0
%rep 4
        PACKAGE 4
        DWORD_  (slot << 16) | 0ffffh
        BYTE_   pin
        db      "LNK", 'A' + ((slot + pin + 3) & 3)
        db      00h
        END
%assign pin pin + 1
%endrep
%assign slot slot + 1
%endrep
        END
        END

        DEVICE  "ISA_"
        NAME    "_ADR"
        DWORD_  00010000h
        ; PIRQRC[A:D], 82371SB 2.2.6
        db      5bh, 80h, "PIRQ", 02h   ; OperationRegion (PIRQ, PCI_Config, 60h, 4)
        BYTE_   60h
        BYTE_   4
%push
        db      5bh, 81h                ; Field (PIRQ, ByteAcc, NoLock, Preserve)
        AML_LENGTH
        db      "PIRQ", 01h, "PRQA", 8, "PRQB", 8, "PRQC", 8, "PRQD", 8
        END

; A device with a PNP ID, a unique number and resources, which follow up to DEVICE_END.
%macro PNP_DEVICE 3
        DEVICE  %1
        NAME    "_HID"
        EISA    'P', 'N', 'P', %2
        NAME    "_UID"
        BYTE_   %3
        NAME    "_CRS"
        BUFFER
%endmacro
%macro DEVICE_END 0
        END_TAG
        END
        END
%endmacro

        PNP_DEVICE "PIC_", 0000h, 0
        IO_PORTS 20h, 2
        IO_PORTS 0a0h, 2
        IO_PORTS 4d0h, 2
        DEVICE_END
        PNP_DEVICE "DMAC", 0200h, 0
        IO_PORTS 00h, 16
        IO_PORTS 81h, 15
        IO_PORTS 0c0h, 32
        DMA_CHANNEL 4
        DEVICE_END
        PNP_DEVICE "TMR_", 0100h, 0
        IO_PORTS 40h, 4
        DEVICE_END
        PNP_DEVICE "RTC_", 0b00h, 0
        IO_PORTS 70h, 2
        IRQ_EDGE 8
        DEVICE_END
        PNP_DEVICE "SPKR", 0800h, 0
        IO_PORTS 61h, 1
        DEVICE_END
        PNP_DEVICE "FPU_", 0c04h, 0
        IO_PORTS 0f0h, 1
        IRQ_EDGE 13
        DEVICE_END
        PNP_DEVICE "KBD_", 0303h, 0
        IO_PORTS 60h, 1
        IO_PORTS 64h, 1
        IRQ_EDGE 1
        DEVICE_END
        PNP_DEVICE "MOU_", 0f13h, 0
        IRQ_EDGE 12
        DEVICE_END
        PNP_DEVICE "FDC_", 0700h, 0
        IO_PORTS 3f2h, 4
        IO_PORTS 3f7h, 1
        IRQ_EDGE 6
        DMA_CHANNEL 2
        DEVICE_END
        PNP_DEVICE "COM1", 0501h, 1
        IO_PORTS 3f8h, 8
        IRQ_EDGE 4
        DEVICE_END
        PNP_DEVICE "COM2", 0501h, 2
        IO_PORTS 2f8h, 8
        IRQ_EDGE 3
        DEVICE_END
        PNP_DEVICE "COM3", 0501h, 3
        IO_PORTS 3e8h, 8
        IRQ_EDGE 4
        DEVICE_END
        PNP_DEVICE "COM4", 0501h, 4
        IO_PORTS 2e8h, 8
        IRQ_EDGE 3
        DEVICE_END
        ; What else the board decodes: APM control, port 92h, power management
        PNP_DEVICE "MBRD", 0c02h, 0
        IO_PORTS 92h, 1
        IO_PORTS 0b2h, 2
        IO_PORTS 600h, 40h
        DEVICE_END
        END                             ; ISA
        END                             ; PCI0

; An interrupt link (6.2, PNP0C0F): PIRQ %2, routed by its register to IRQ 5, 10 or 11.
%macro LINK 3                           ; letter, unique number, field
        DEVICE  {"LNK", %1}
        NAME    "_HID"
        EISA    'P', 'N', 'P', 0c0fh
        NAME    "_UID"
        BYTE_   %2
        NAME    "_PRS"
        BUFFER
        IRQ_LEVEL 0c20h
        END_TAG
        END
        METHOD  "_STA", 0               ; enabled or not, by bit 7 of the register
        IF
        db      7bh, %3                 ; And (PRQx, 80h)
        BYTE_   80h
        db      00h
        db      0a4h
        BYTE_   09h
        END
        db      0a4h
        BYTE_   0bh
        END
        METHOD  "_DIS", 0
        db      7dh, %3                 ; Or (PRQx, 80h, PRQx)
        BYTE_   80h
        db      %3
        END
        NAME    "BUF_"
        BUFFER
        IRQ_LEVEL 0
        END_TAG
        END
        METHOD  "_CRS", 8               ; serialised: it writes BUF
        db      8bh, "BUF_"             ; CreateWordField (BUF, 1, IRQS)
        BYTE_   1
        db      "IRQS"
        IF
        db      7bh, %3                 ; And (PRQx, 80h)
        BYTE_   80h
        db      00h
        db      70h, 00h, "IRQS"        ; Store (Zero, IRQS)
        END
        ELSE
        db      79h, 01h, 7bh, %3       ; ShiftLeft (One, And (PRQx, 0Fh), IRQS)
        BYTE_   0fh
        db      00h
        db      "IRQS"
        END
        db      0a4h, "BUF_"
        END
        METHOD  "_SRS", 9               ; serialised, one argument
        db      8bh, 68h                ; CreateWordField (Arg0, 1, IRQS)
        BYTE_   1
        db      "IRQS"
        db      82h, "IRQS", 60h        ; FindSetRightBit (IRQS, Local0)
        db      74h, 60h, 01h, %3       ; Subtract (Local0, One, PRQx)
        END
        END
%endmacro
%define PRQ(letter) '\', 2fh, 4, "_SB_", "PCI0", "ISA_", "PRQ", letter
        LINK    'A', 1, {PRQ('A')}
        LINK    'B', 2, {PRQ('B')}
        LINK    'C', 3, {PRQ('C')}
        LINK    'D', 4, {PRQ('D')}

        DEVICE  "HPET"
        NAME    "_HID"
        EISA    'P', 'N', 'P', 0103h
        NAME    "_UID"
        db      00h
        NAME    "_CRS"
        BUFFER
        MEMORY32 0fed00000h, 400h
        END_TAG
        END
        END

        END                             ; \_SB
dsdt_end:
