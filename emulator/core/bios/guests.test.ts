// The small guests of assets/guests/tests: each does one thing, well or badly, and the machine has a defined answer.
import { describe, expect, test } from 'vitest'
import * as L from '../layout'
import { FirmwareMachine, guestImage, guestText } from '../testing/firmware'

const SECOND = 1_000_000_000

function start(name: string, index: number = L.DRIVE_ATA0): FirmwareMachine {
  return new FirmwareMachine({ drives: { [index]: { content: guestImage(name) } } })
}

/** Runs until COM1 has said `text`. */
function until(machine: FirmwareMachine, text: string, seconds = 5): void {
  machine.run(seconds * SECOND, () => machine.serial.includes(text))
  expect(machine.serial).toContain(text)
}

describe('guests that work', () => {
  test('ATA by PIO: IDENTIFY, read, write, read back, CHS, past the end', () => {
    const content = guestImage('tests/ata-pio')
    const machine = new FirmwareMachine({ drives: { [L.DRIVE_ATA0]: { content } } })
    until(machine, 'Done')
    expect(machine.serial).toBe(
      'IDENTIFY 0008 Ringside disk   \r\nREAD 0 AA55\r\nWRITE 5 50\r\nREAD BACK 1234F013\r\n' +
        'CHS 0/0/6 1234\r\nBEYOND 51 10\r\nDone\r\n',
    )
    expect([...content.subarray(5 * 512, 5 * 512 + 4)]).toEqual([0x34, 0x12, 0x55, 0x55])
  })

  test('the PCI BIOS in real mode, and in protected mode by the BIOS32 service directory', () => {
    const machine = start('tests/pci-bios')
    until(machine, 'Done')
    expect(machine.serial).toMatch(
      /^Version 0210 IDE 0009 8086\r\n32 bits 00000901018[0-9A-F]{3}87\r\nDone\r\n$/,
    )
  })

  test('timer and interrupt controller', () => {
    const machine = start('tests/timer')
    until(machine, 'Done')
    expect(machine.serial).toBe('Ticks 0064\r\nLatch in range\r\nMasked 0000\r\nRequest 01\r\nDone\r\n')
  })

  test('ACPI S3: asleep until the alarm, and on at the waking vector with memory as it was', () => {
    const machine = start('tests/suspend')
    until(machine, 'lost 0000\r\n')
    expect(machine.serial).toMatch(/^Sleep\r\nAwake 07[0-9A-F]{2} PM1_STS 8400 lost 0000\r\n$/)
  })

  test.each([
    ['the power button', () => [L.INPUT_KIND_POWER, 0], '8100'],
    ['a key', () => [L.INPUT_KIND_KEY, 0x1c], '8000'],
    ['the mouse', () => [L.INPUT_KIND_MOUSE, 1], '8000'],
  ] as const)('ACPI S3: %s wakes, and the screen is lit again', (_, input, status) => {
    const machine = start('tests/suspend')
    until(machine, 'Sleep\r\n')
    machine.run(10_000_000)
    const [kind, data] = input()
    machine.queueInput(kind!, data!)
    until(machine, 'lost 0000\r\n')
    expect(machine.serial).toContain(` PM1_STS ${status} `)
    expect(machine.cell(3, 3)).toBe(0x0720)
    machine.run(1_000_000)
    // Attribute controller on, sequencer running, 80 columns
    machine.exports.portWrite(0x3d4, 1, 1)
    expect(machine.exports.portRead(0x3d5, 1)).toBe(79)
  })

  test('COM1 echoes by interrupt', () => {
    const machine = start('tests/serial-echo')
    until(machine, 'Echo ready\r\n')
    machine.queueSerial('hello, \x7f\r')
    machine.run(SECOND)
    machine.queueSerial('\x04')
    until(machine, 'Echo ends')
    expect(machine.serial).toBe('Echo ready\r\nhello, \x7f\r\n\r\nEcho ends\r\n')
  })

  test('the keyboard, from scan codes to characters', () => {
    const machine = start('tests/keyboard-echo')
    until(machine, 'Keyboard ready\r\n')
    const up = L.KEY_RELEASE
    machine.keys(
      0x1c,
      0x1c | up,
      0x12,
      0x1c,
      0x1c | up,
      0x12 | up,
      0x05,
      0x05 | up,
      L.KEY_E0 | 0x75,
      L.KEY_E0 | 0x75 | up,
    )
    until(machine, '48E0 00')
    expect(machine.serial).toBe('Keyboard ready\r\n1E61 00 a\r\n1E41 02 A\r\n3B00 00\r\n48E0 00\r\n')
    expect(machine.screen).toContain('aA')
  })

  test('80x50 text', () => {
    const machine = start('tests/text-80x50')
    until(machine, '\r\n')
    expect(machine.serial).toBe('Rows 31 height 08\r\n')
    machine.run(SECOND / 100)
    expect(machine.screen.split('\n')).toHaveLength(50)
    expect(machine.cell(49, 0)).toBe(0x0134)
  })

  test('mode 13h: the palette a VGA BIOS loads', () => {
    const machine = start('tests/mode13')
    until(machine, 'Test card')
    const dac = (index: number) => {
      machine.exports.portWrite(0x3c7, 1, index)
      return [0, 0, 0].map(() => machine.exports.portRead(0x3c9, 1))
    }
    // Read from a screenshot of the same program on QEMU (SeaVGABIOS), six bits a colour.
    const seavgabios = guestText('tests/mode13.seavgabios.txt').trim().split(/\s+/)
    expect(seavgabios).toHaveLength(256)
    seavgabios.forEach((colour, index) => {
      const hex = dac(index).map((level) => level.toString(16).padStart(2, '0'))
      expect(hex.join(''), `entry ${index}`).toBe(colour)
    })
    expect(Number(machine.exports.mmioRead(0xa0000n, 1))).toBe(0x0f)
    expect(Number(machine.exports.mmioRead(BigInt(0xa0000 + 4 * 320 + 210), 1))).toBe(0x28)
  })
})

describe('guests that end the machine', () => {
  test('isa-debug-exit', () => {
    const machine = start('tests/debug-exit')
    expect(machine.run(SECOND)).toBe(true)
    expect([machine.stopReason, machine.stopValue]).toEqual([L.STOP_DEBUG_EXIT, 0x15])
    expect(machine.serial).toBe('Leaving through port F4h\r\n')
  })

  test('power-off', () => {
    const machine = start('tests/power-off')
    expect(machine.run(SECOND)).toBe(true)
    expect(machine.stopReason).toBe(L.STOP_POWER_OFF)
    expect(machine.serial).toBe('Switching off\r\n')
  })

  test('a jump to unmapped memory in protected mode: triple fault', () => {
    const machine = start('tests/unmapped-jump-32')
    expect(machine.run(SECOND)).toBe(true)
    expect(machine.stopReason).toBe(L.STOP_TRIPLE_FAULT)
    expect(machine.serial).toBe('Jumping to C0000000\r\n')
  })
})

describe('guests that go wrong', () => {
  test('no signature: not started, and the screen says why', () => {
    const machine = start('tests/no-signature')
    machine.run(SECOND)
    expect(machine.serial).toBe('')
    expect(machine.screen).toContain('Boot failed: not a bootable disk')
    expect(machine.screen).toContain('No bootable device.')
  })

  test('a jump to unmapped memory in real mode: the firmware says which exception, and where', () => {
    const machine = start('tests/unmapped-jump')
    machine.run(SECOND)
    expect(machine.stopReason).toBe(L.STOP_NONE)
    expect(machine.screen.replaceAll('\n', '')).toContain(
      'CPU exception 06h (invalid opcode) at D000:0000, and no handler is installed. Stopped.',
    )
  })

  test('INT 13h with nonsense: thousands of calls, each answered', () => {
    const machine = start('tests/int13-nonsense')
    until(machine, '4096 calls answered\r\n', 10)
    expect(machine.serial).toMatch(/^\.{16}\r\n4096 calls answered\r\n/)
  })

  test('vectors overwritten: the machine runs on with whatever it finds', () => {
    const machine = start('tests/ivt-overwrite')
    until(machine, 'Overwriting the vectors')
    expect(machine.run(SECOND / 200)).toBe(false)
    expect(machine.stopReason).toBe(L.STOP_NONE)
  })

  test('COM1 without end: nothing is lost, whoever reads keeps up', () => {
    const machine = start('tests/serial-flood')
    machine.run(SECOND / 5)
    const lines = machine.serial.split('\r\n').slice(0, -1)
    expect(lines.length).toBeGreaterThan(2_000)
    lines.forEach((line, i) => {
      if (line !== '.'.repeat(54) + i.toString(16).toUpperCase().padStart(8, '0'))
        throw new Error(`line ${i}: ${line}`)
    })
  })
})

describe('First light', () => {
  test.each([
    ['a disk', L.DRIVE_ATA0, 'drive 80h, the rest read by LBA'],
    ['a floppy', L.DRIVE_FLOPPY_A, 'drive 00h, the rest read by cylinder, head, sector'],
  ])('from %s to 64-bit code', (_, drive, how) => {
    const machine = start('first-light/first-light', drive)
    until(machine, 'Long mode: hello from 64-bit code\r\n', 10)
    expect(machine.serial).toContain(`Boot sector: ${how}\r\n`)
    expect(machine.serial).toContain('A20 line: was off, on through INT 15h\r\n')
    expect(machine.serial).toContain('Memory map: 5 entries, 3 MiB usable\r\n')
    machine.queueSerial('hi')
    machine.keys(0x43, 0x43 | L.KEY_RELEASE)
    expect(machine.serial.endsWith('hii')).toBe(true)
    machine.run(2 * SECOND)
    expect(machine.screen).toMatch(/Uptime 00:00:02\.\d\d {4}Ticks 2\d\d {4}Keys 1 {4}COM1 bytes 2/)
    for (const id of [
      L.CLIMB_A20,
      L.CLIMB_GDT,
      L.CLIMB_PROTECTED,
      L.CLIMB_PAE,
      L.CLIMB_LONG,
      L.CLIMB_CODE64,
    ]) {
      expect(machine.milestone(id)).toBe(true)
    }
  })
})
