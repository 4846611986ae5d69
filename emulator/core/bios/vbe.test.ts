// The VESA BIOS Extension, called as a program calls it.
import { beforeEach, describe, expect, test } from 'vitest'
import { VRAM } from '../layout'
import { FirmwareMachine } from '../testing/firmware'

let machine: FirmwareMachine
beforeEach(() => {
  machine = new FirmwareMachine().boot()
})
const int10 = (ax: number, rest = {}) => machine.call(0x10, { ax, ...rest })
/** Blocks at 0060:0000. */
const BLOCK = 0x600
const vbe = (al: number, rest = {}) => int10(0x4f00 | al, { es: 0x60, ...rest })
const text = (far: number) => {
  const at = ((far >>> 16) << 4) + (far & 0xffff)
  let found = ''
  for (let i = at; ; i++) {
    const byte = machine.u8[i >= 0xe0000 ? 0x200000 + i - 0xe0000 : machine.at(i)]!
    if (byte === 0) return found
    found += String.fromCharCode(byte)
  }
}
const pixelWord = (x: number, y: number, pitch: number) =>
  machine.view.getUint32(VRAM + y * pitch + x * 4, true)
const frameBuffer = () => {
  vbe(1, { cx: 0x144 })
  return machine.read32(BLOCK + 0x28)
}

describe('what there is', () => {
  test('function 00h names the controller and its modes; a VBE 1 caller gets 256 bytes', () => {
    machine.write(BLOCK, new Array(512).fill(0xee))
    expect(vbe(0).ax).toBe(0x004f)
    expect(Buffer.from(machine.bytes(BLOCK, 4)).toString()).toBe('VESA')
    expect(machine.read16(BLOCK + 4)).toBe(0x0300)
    expect(text(machine.read32(BLOCK + 6))).toBe('Ringside VBE')
    expect(machine.read16(BLOCK + 0x12)).toBe(256)
    expect(machine.read8(BLOCK + 256)).toBe(0xee)
    const list = (machine.read16(BLOCK + 0x10) << 4) + machine.read16(BLOCK + 0x0e)
    const modes = []
    for (let at = list; machine.read16(at) !== 0xffff; at += 2) modes.push(machine.read16(at))
    for (let mode = 0x100; mode <= 0x107; mode++) expect(modes).toContain(mode)
    for (let mode = 0x10d; mode <= 0x11b; mode++) expect(modes).toContain(mode)
    expect(new Set(modes).size).toBe(modes.length)
    for (const cx of modes) {
      expect(vbe(1, { cx, es: 0x100 }).ax).toBe(0x004f)
      const at = 0x1000
      const [width, height] = [machine.read16(at + 0x12), machine.read16(at + 0x14)]
      const bits = machine.read8(at + 0x19)
      const pitch = machine.read16(at + 0x10)
      expect(pitch).toBe(bits === 4 ? width / 8 : width * Math.ceil(bits / 8))
      const pages = machine.read8(at + 0x1d) + 1
      expect(pages * pitch * height * (bits === 4 ? 4 : 1)).toBeLessThanOrEqual(16 << 20)
    }
  })

  test('a VBE 2 caller gets names', () => {
    machine.write(BLOCK, Buffer.from('VBE2'))
    vbe(0)
    expect(text(machine.read32(BLOCK + 0x16))).toBe('The Ringside authors')
    expect(text(machine.read32(BLOCK + 0x1a))).toBe('Ringside display')
  })

  test('function 01h: colour fields of direct colour, the frame buffer where PCI has it', () => {
    const fields = (cx: number) => {
      vbe(1, { cx })
      return [...machine.bytes(BLOCK + 0x1f, 8)]
    }
    expect(fields(0x110)).toEqual([5, 10, 5, 5, 5, 0, 1, 15])
    expect(fields(0x111)).toEqual([5, 11, 6, 5, 5, 0, 0, 0])
    expect(fields(0x112)).toEqual([8, 16, 8, 8, 8, 0, 0, 0])
    expect(fields(0x142)).toEqual([8, 16, 8, 8, 8, 0, 8, 24])
    expect(fields(0x101)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    const base = frameBuffer()
    machine.exports.portWrite(0xcf8, 4, 0x80001010)
    expect(base).toBe((machine.exports.portRead(0xcfc, 4) & ~15) >>> 0)
    expect(vbe(1, { cx: 0x1ff }).ax).toBe(0x014f)
    expect(vbe(0x20).ax).toBe(0x014f)
  })

  test('function 15h: the EDID of the monitor, a block that adds up', () => {
    const answer = vbe(0x15, { bx: 0 })
    expect([answer.ax, answer.bx & 2]).toEqual([0x004f, 2])
    vbe(0x15, { bx: 1, es: 0x60 })
    const edid = machine.bytes(BLOCK, 128)
    expect([...edid.subarray(0, 8)]).toEqual([0, 255, 255, 255, 255, 255, 255, 0])
    expect(edid.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0)
    expect(vbe(0x15, { bx: 1, dx: 1 }).ax).toBe(0x014f)
  })
})

describe('modes', () => {
  test('set and asked for; through the frame buffer and through the window', () => {
    expect(vbe(2, { bx: 0x4144 }).ax).toBe(0x004f)
    expect(vbe(3).bx).toBe(0x4144)
    expect(machine.read8(0x449)).toBe(0xff)
    const base = frameBuffer()
    machine.exports.mmioWrite(BigInt(base + 4), 4, 0x00aabbccn)
    expect(pixelWord(1, 0, 4096)).toBe(0xaabbcc)
    expect(vbe(5, { bx: 0, dx: 1 }).ax).toBe(0x004f)
    machine.exports.mmioWrite(0xa0000n, 4, 0x00112233n)
    expect(pixelWord(0, 16, 4096)).toBe(0x112233)
    expect(vbe(5, { bx: 0x0100 }).dx).toBe(1)
    expect(vbe(5, { bx: 0, dx: 256 }).ax).toBe(0x014f)
    // Back to text: nothing of it is left.
    int10(3)
    expect(vbe(3).bx).toBe(3)
    expect(vbe(5, { bx: 0 }).ax).toBe(0x034f)
  })

  test('bit 15 keeps video memory; ordinary modes are set by this function too', () => {
    vbe(2, { bx: 0x101 })
    machine.u8[VRAM + 5] = 0x77
    vbe(2, { bx: 0x8101 })
    expect(machine.u8[VRAM + 5]).toBe(0x77)
    vbe(2, { bx: 0x0101 })
    expect(machine.u8[VRAM + 5]).toBe(0)
    expect(vbe(2, { bx: 0x13 }).ax).toBe(0x004f)
    expect(machine.read8(0x449)).toBe(0x13)
    expect(vbe(2, { bx: 0x14 }).ax).toBe(0x014f)
    expect(vbe(2, { bx: 0x4102 }).ax).toBe(0x014f) // four planes have no frame buffer
  })

  test('line length, start of the picture', () => {
    vbe(2, { bx: 0x4144 })
    expect(vbe(6, { bx: 1 })).toMatchObject({ ax: 0x4f, bx: 4096, cx: 1024, dx: 4096 })
    expect(vbe(6, { bx: 0, cx: 2000 })).toMatchObject({ ax: 0x4f, bx: 8000, cx: 2000, dx: 2097 })
    expect(vbe(6, { bx: 0, cx: 800 }).ax).toBe(0x014f)
    expect(vbe(7, { bx: 0, cx: 100, dx: 200 }).ax).toBe(0x004f)
    expect(vbe(7, { bx: 1 })).toMatchObject({ ax: 0x4f, cx: 100, dx: 200 })
    expect(vbe(7, { bx: 0x80, cx: 976, dx: 0 }).ax).toBe(0x004f)
    expect(vbe(7, { bx: 0, cx: 977, dx: 0 }).ax).toBe(0x014f)
    expect(vbe(7, { bx: 2, ecx: 8000 * 7 + 40 }).ax).toBe(0x004f)
    expect(vbe(7, { bx: 1 })).toMatchObject({ cx: 10, dx: 7 })
  })

  test('palette and DAC width', () => {
    vbe(2, { bx: 0x101 })
    expect(vbe(8, { bx: 1 }).bx >> 8).toBe(6)
    expect(vbe(8, { bx: 0x0800 }).bx >> 8).toBe(8)
    machine.write(BLOCK, [1, 2, 250, 0, 4, 5, 6, 0])
    expect(vbe(9, { bx: 0, cx: 2, dx: 254 }).ax).toBe(0x004f)
    machine.write(BLOCK, new Array(8).fill(0))
    expect(vbe(9, { bx: 1, cx: 2, dx: 254 }).ax).toBe(0x004f)
    expect([...machine.bytes(BLOCK, 8)]).toEqual([1, 2, 250, 0, 4, 5, 6, 0])
    expect(vbe(9, { bx: 0, cx: 2, dx: 255 }).ax).toBe(0x014f)
    vbe(2, { bx: 0x4144 })
    expect(vbe(8, { bx: 1 }).ax).toBe(0x034f)
  })

  test('text, pixels and scrolling in every depth', () => {
    for (const [mode, white, red] of [
      [0x102, 15, 4],
      [0x103, 15, 4],
      [0x113, 15, 4],
      [0x114, 15, 4],
      [0x115, 15, 4],
      [0x143, 15, 4],
    ] as const) {
      vbe(2, { bx: mode })
      expect(machine.read16(0x44a)).toBe(100)
      int10(0x0edb, { bx: white })
      expect(int10(0x0d00, { cx: 3, dx: 8 }).al).toBe(white)
      expect(int10(0x0d00, { cx: 8, dx: 8 }).al).toBe(0)
      int10(0x0c00 | red, { cx: 799, dx: 591 })
      expect(int10(0x0d00, { cx: 799, dx: 591 }).al).toBe(red)
      int10(0x0c00 | red, { cx: 800, dx: 591 })
      int10(0x0601, { bx: 0, cx: 0, dx: 0xffff })
      expect(int10(0x0d00, { cx: 3, dx: 8 }).al).toBe(0)
      // The last of 37 rows has moved up by one.
      expect([575, 591].map((dx) => int10(0x0d00, { cx: 799, dx }).al)).toEqual([red, 0])
    }
  })
})

test('state: a mode is saved, another one set, and the first comes back', () => {
  vbe(2, { bx: 0x4117 })
  vbe(6, { bx: 0, cx: 1600 })
  vbe(7, { bx: 0, cx: 16, dx: 5 })
  const blocks = vbe(4, { cx: 15, dx: 0 })
  expect(blocks.ax).toBe(0x004f)
  expect(vbe(4, { cx: 15, dx: 1, bx: 0 }).ax).toBe(0x004f)
  int10(3)
  expect(vbe(3).bx).toBe(3)
  expect(vbe(4, { cx: 15, dx: 2, bx: 0 }).ax).toBe(0x004f)
  expect(vbe(3).bx).toBe(0x4117)
  expect(vbe(6, { bx: 1 }).cx).toBe(1600)
  expect(vbe(7, { bx: 1 })).toMatchObject({ cx: 16, dx: 5 })
  // Text with a palette of its own, by INT 10h/1Ch.
  int10(3)
  int10(0x1010, { bx: 7, cx: 0x0a0b, dx: 0x0c00 })
  expect(int10(0x1c01, { cx: 7, bx: 0, es: 0x60 }).al).toBe(0x1c)
  int10(0x13)
  int10(0x1c02, { cx: 7, bx: 0, es: 0x60 })
  expect(machine.read8(0x449)).toBe(3)
  expect(int10(0x1015, { bx: 7 })).toMatchObject({ cx: 0x0a0b })
})

test('nonsense is answered', () => {
  for (let al = 0; al < 0x20; al++) {
    for (const bx of [0, 0x55aa, 0xffff]) {
      const { ax } = int10(0x4f00 | al, { bx, cx: 0xffff, dx: 0xffff, di: 0xfff0, es: 0x1000 })
      expect([0x004f, 0x014f, 0x034f]).toContain(ax)
    }
  }
})

describe('function 0Ah: routines for 32-bit code, called from there', () => {
  const dword = (value: number) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24]
  /** Calls the routine whose offset is at `entry` of the table, at the place it was copied to; EAX and EDX go to 9100h. */
  const callRoutine = (entry: number, { ebx = 0, ecx = 0, edx = 0, edi = 0 }) => {
    const { es, di, cx, ax } = vbe(0x0a)
    expect(ax).toBe(0x004f)
    const from = es * 16 + di - 0xe0000 + 0x200000
    const block = machine.u8.slice(from, from + cx)
    // Programs copy it to where they like (VBE 3.0, "Protected Mode Considerations").
    machine.write(0x20000, block)
    const at = 0x20000 + block[entry]! + (block[entry + 1]! << 8)
    machine.protected32([
      ...[0xbb, ...dword(ebx), 0xb9, ...dword(ecx), 0xba, ...dword(edx), 0xbf, ...dword(edi)],
      ...[0xb8, ...dword(at), 0xff, 0xd0], // MOV EAX, at; CALL EAX
      ...[0xa3, ...dword(0x9100), 0x89, 0x15, ...dword(0x9104)],
    ])
    return [machine.read32(0x9100) & 0xffff, machine.read32(0x9104)]
  }
  const dispi = (index: number) => {
    machine.exports.portWrite(0x1ce, 2, index)
    return machine.exports.portRead(0x1cf, 2)
  }

  test('the window moves and is asked for', () => {
    vbe(2, { bx: 0x105 })
    expect(callRoutine(0, { edx: 5 })[0]).toBe(0x004f)
    expect(dispi(5)).toBe(5)
    machine = new FirmwareMachine().boot()
    vbe(2, { bx: 0x105 })
    vbe(5, { bx: 0, dx: 3 })
    expect(callRoutine(0, { ebx: 0x100 })).toEqual([0x004f, 3])
  })

  test.each([
    [0x4101, 640, 1],
    [0x4111, 640, 2],
    [0x4144, undefined, 4],
  ])('the start of the picture, mode %s', (bx, width, size) => {
    vbe(2, { bx })
    const pitch = (width ?? dispi(6)) * size
    // Line 100, pixel 8, in units of four bytes
    const start = (100 * pitch + 8 * size) / 4
    expect(callRoutine(2, { ecx: start & 0xffff, edx: start >>> 16 })[0]).toBe(0x004f)
    expect([dispi(8), dispi(9)]).toEqual([8, 100])
  })

  test('colours of the palette', () => {
    vbe(2, { bx: 0x101 })
    machine.write(0x9200, [1, 2, 3, 0, 60, 50, 40, 0])
    expect(callRoutine(4, { ecx: 2, edx: 0x30, edi: 0x9200 })[0]).toBe(0x004f)
    machine.exports.portWrite(0x3c7, 1, 0x30)
    const read = Array.from({ length: 6 }, () => machine.exports.portRead(0x3c9, 1))
    expect(read).toEqual([3, 2, 1, 40, 50, 60])
  })
})

test('4F03h before any mode of the VBE was set: the mode POST has set', () => {
  expect(machine.call(0x10, { ax: 0x4f03, bx: 0xffff })).toMatchObject({ ax: 0x004f, bx: 3 })
})
