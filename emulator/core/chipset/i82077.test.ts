import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const DOR = 0x3f2
const MSR = 0x3f4
const FIFO = 0x3f5
const BUFFER = 0x10000
const READ = 0xe6
const WRITE = 0xc5

const image = (seed = 0) => Uint8Array.from({ length: 2880 * 512 }, (_, i) => (i >> 9) * 3 + (i % 251) + seed)
let disk: Uint8Array
const bytes = (lba: number, count: number) => disk.slice(lba * 512, (lba + count) * 512)
const same = (found: Uint8Array, wanted: Uint8Array) => expect(Buffer.compare(found, wanted)).toBe(0)
const memory = (length: number, at = BUFFER) => core.ram.slice(at, at + length)

const settle = () => {
  for (let i = 0; i < 500 && !core.intr && (core.untilDeadline ?? 1e9) < 5e8; i++) core.skipToDeadline()
}
/** IRQ 6 has come; the controller is told. */
const interrupted = () => {
  settle()
  expect(core.intr).toBe(true)
  expect(core.acknowledge()).toBe(0x26)
  core.out8(0x20, 0x20)
}
const command = (...values: number[]) => {
  for (const value of values) {
    expect(core.in8(MSR) & 0xc0).toBe(0x80)
    core.out8(FIFO, value)
  }
}
const result = () => {
  const found: number[] = []
  while ((core.in8(MSR) & 0xd0) === 0xd0) found.push(core.in8(FIFO))
  return found
}
const senseInterrupt = () => {
  command(0x08)
  return result()
}
/** Channel 2: address, bytes, mode (46h write to memory, 4Ah read from it). */
const dma = (length: number, mode = 0x46, address = BUFFER) => {
  core.out8(0x0a, 6)
  core.out8(0x0c, 0)
  core.out8(0x0b, mode)
  core.out8(0x04, address & 0xff)
  core.out8(0x04, (address >> 8) & 0xff)
  core.out8(0x81, address >> 16)
  core.out8(0x05, (length - 1) & 0xff)
  core.out8(0x05, (length - 1) >> 8)
  core.out8(0x0a, 2)
}
const seek = (cylinder: number, unit = 0) => {
  command(0x0f, unit, cylinder)
  interrupted()
  return senseInterrupt()
}
const transfer = (code: number, cylinder: number, head: number, sector: number, last = 18, unit = 0) => {
  command(code, (head << 2) | unit, cylinder, head, sector, 2, last, 0x1b, 0xff)
  interrupted()
  return result()
}

function attach(content: Uint8Array, geometry: [number, number, number], drive = 0) {
  const entry = (L.DRIVES + drive * L.DRIVE_SIZE) / 4
  core.attach(drive, content, geometry[1], geometry[2])
  core.u32[entry + L.DRIVE_CYLINDERS / 4] = geometry[0]
}
function start() {
  core.reset()
  core.initialisePic()
  core.out8(0xd6, 0xc0) // channel 4 passes the first controller's requests on
  core.out8(0xd4, 0)
  core.out8(DOR, 0)
  core.out8(DOR, 0x1c) // motor A, DMA and interrupt on, not in reset
  interrupted()
  for (let unit = 0; unit < 4; unit++) expect(senseInterrupt()).toEqual([0xc0 | unit, 0])
  expect(senseInterrupt()).toEqual([0x80])
  core.out8(0x3f7, 0) // 500 kbit/s
  command(0x03, 0xdf, 0x02)
}

beforeEach(() => {
  disk = image()
  core.disks.clear()
  core.u8.fill(0, L.DRIVES, L.DRIVES + L.DRIVE_COUNT * L.DRIVE_SIZE)
  core.ram.fill(0)
  core.blockError = L.BLOCK_ERROR_NONE
  attach(disk, [80, 2, 18])
  start()
})

describe('commands without data', () => {
  test('VERSION, an invalid command, CONFIGURE, LOCK, DUMPREG', () => {
    command(0x10)
    expect(result()).toEqual([0x90])
    command(0x1f)
    expect(result()).toEqual([0x80])
    command(0x13, 0, 0x57, 0x11)
    command(0x94)
    expect(result()).toEqual([0x10])
    command(0x0e)
    expect(result()).toEqual([0, 0, 0, 0, 0xdf, 0x02, 0, 0x80, 0x57, 0x11])
    core.out8(DOR, 0) // what is locked outlives a reset
    core.out8(DOR, 0x1c)
    settle()
    command(0x0e)
    expect(result().slice(7)).toEqual([0x80, 0x57, 0x11])
    command(0x14)
    expect(result()).toEqual([0])
  })

  test('SEEK, RECALIBRATE, SENSE DRIVE STATUS', () => {
    command(0x0f, 0, 33)
    expect(core.in8(MSR)).toBe(0x81) // drive 0 seeks, another command may come
    interrupted()
    expect(senseInterrupt()).toEqual([0x20, 33])
    command(0x04, 0)
    expect(result()).toEqual([0x28])
    command(0x07, 0)
    interrupted()
    expect(senseInterrupt()).toEqual([0x20, 0])
    command(0x04, 4)
    expect(result()).toEqual([0x3c]) // track 0, head 1
    command(0x07, 1) // no drive B: track 0 is not found
    interrupted()
    expect(senseInterrupt()).toEqual([0x71, 0])
    command(0xcf, 0, 10) // relative, inwards and back
    interrupted()
    expect(senseInterrupt()).toEqual([0x20, 10])
    command(0x8f, 0, 3)
    interrupted()
    expect(senseInterrupt()).toEqual([0x20, 7])
  })

  test('the registers: DOR, MSR in reset, the interrupt gate, software reset by DSR', () => {
    expect(core.in8(DOR)).toBe(0x1c)
    core.out8(DOR, 0x10)
    expect(core.in8(MSR)).toBe(0)
    core.out8(DOR, 0x14) // without the gate no interrupt comes out
    core.advance(1_000_000)
    expect(core.intr).toBe(false)
    core.out8(DOR, 0x1c)
    expect(core.intr).toBe(true)
    interrupted()
    core.out8(MSR, 0x80)
    interrupted()
    expect(senseInterrupt()).toEqual([0xc0, 0])
  })
})

describe('reading and writing by DMA', () => {
  test('one sector; the count of the channel ends it', () => {
    seek(5)
    dma(512)
    expect(transfer(READ, 5, 1, 3)).toEqual([4, 0, 0, 5, 1, 4, 2])
    same(memory(512), bytes((5 * 2 + 1) * 18 + 2, 1))
    expect(core.in8(0x08) & 4).toBe(4) // terminal count of channel 2
  })

  test('a whole cylinder by MT, over both heads', () => {
    seek(7)
    dma(36 * 512)
    expect(transfer(READ, 7, 0, 1)).toEqual([4, 0, 0, 8, 0, 1, 2])
    same(memory(36 * 512), bytes(7 * 36, 36))
  })

  test('without a terminal count EOT ends it, with an error', () => {
    dma(0x10000)
    expect(transfer(0x46, 0, 0, 17)).toEqual([0x40, 0x80, 0, 1, 0, 1, 2])
    same(memory(1024), bytes(16, 2))
  })

  test('writing, and part of a sector', () => {
    seek(2)
    core.ram.fill(0xaa, BUFFER, BUFFER + 1024)
    dma(700, 0x4a)
    expect(transfer(WRITE, 2, 0, 1)).toEqual([0, 0, 0, 2, 0, 3, 2])
    const written = new Uint8Array(1024).fill(0xaa, 0, 700)
    same(bytes(72, 2), written)
  })

  test('write protection', () => {
    core.u32[(L.DRIVES + L.DRIVE_READ_ONLY) / 4] = 1
    dma(512, 0x4a)
    expect(transfer(WRITE, 0, 0, 1)).toEqual([0x40, 2, 0, 0, 0, 1, 2])
    command(0x04, 0)
    expect(result()[0]! & 0x40).toBe(0x40)
  })

  test('the wrong cylinder, a sector that is not there, the wrong size, FM', () => {
    dma(512)
    expect(transfer(READ, 4, 0, 1).slice(0, 3)).toEqual([0x40, 4, 0x10])
    expect(transfer(READ, 0, 0, 19, 20).slice(0, 3)).toEqual([0x40, 4, 0])
    expect(transfer(0xa6, 0, 0, 1).slice(0, 3)).toEqual([0x40, 4, 0])
    command(READ, 0, 0, 0, 1, 3, 18, 0x1b, 0xff)
    interrupted()
    expect(result().slice(0, 3)).toEqual([0x40, 4, 0])
  })

  test('a masked channel is an overrun; a host that cannot read a data error', () => {
    dma(512)
    core.out8(0x0a, 6)
    expect(transfer(READ, 0, 0, 1).slice(0, 3)).toEqual([0x40, 0x10, 0])
    core.blockError = L.BLOCK_ERROR_MEDIUM
    dma(512)
    expect(transfer(READ, 0, 0, 1).slice(0, 3)).toEqual([0x40, 0x20, 0x20])
  })

  test('with DMAGATE off no request comes out: an overrun, told when the gate lets the interrupt through', () => {
    core.out8(DOR, 0x14)
    dma(512)
    command(READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff)
    for (let i = 0; i < 4 && (core.untilDeadline ?? 1e9) < 5e8; i++) core.skipToDeadline()
    expect(core.intr).toBe(false)
    core.out8(DOR, 0x1c)
    interrupted()
    expect(result().slice(0, 3)).toEqual([0x40, 0x10, 0])
    same(memory(512), new Uint8Array(512))
  })

  test('READ ID of an empty drive, and of one that is not there: no address mark, the drive it was asked of', () => {
    core.out8(DOR, 0x3c) // both motors, drive 0 selected
    command(0x4a, 1)
    interrupted()
    expect(result().slice(0, 3)).toEqual([0x41, 1, 0])
    core.eject(0)
    command(0x4a, 0)
    interrupted()
    expect(result().slice(0, 3)).toEqual([0x40, 1, 0])
    expect(transfer(0x56, 0, 0, 1).slice(0, 2)).toEqual([0x40, 1]) // VERIFY neither
  })

  test('the interrupt of a command goes with the first byte of its result, the phase with the last', () => {
    dma(512)
    command(READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff)
    settle()
    expect([core.intr, core.in8(MSR)]).toEqual([true, 0xd0])
    core.in8(FIFO)
    expect(core.intr).toBe(false)
    for (let i = 0; i < 6; i++) {
      expect(core.in8(MSR)).toBe(0xd0)
      core.in8(FIFO)
    }
    expect(core.in8(MSR)).toBe(0x80)
  })

  test('implied seek', () => {
    command(0x13, 0, 0x60, 0)
    dma(512)
    expect(transfer(READ, 61, 0, 1)).toEqual([0, 0, 0, 61, 0, 2, 2])
    same(memory(512), bytes(61 * 36, 1))
  })

  test('READ ID, VERIFY, FORMAT TRACK', () => {
    seek(9)
    command(0x4a, 4)
    interrupted()
    expect(result()).toEqual([4, 0, 0, 9, 1, 1, 2])
    expect(transfer(0x56, 9, 0, 1, 2)).toEqual([0, 0, 0, 10, 0, 1, 2])
    core.ram.set(Array.from({ length: 18 }, (_, i) => [9, 0, i + 1, 2]).flat(), BUFFER)
    dma(18 * 4, 0x4a)
    command(0x4d, 0, 2, 18, 0x1b, 0xe5)
    interrupted()
    expect(result().slice(0, 3)).toEqual([0, 0, 0])
    same(bytes(9 * 36, 18), new Uint8Array(18 * 512).fill(0xe5))
    same(bytes(9 * 36 + 18, 1), image().slice((9 * 36 + 18) * 512, (9 * 36 + 19) * 512))
  })
})

describe('without DMA', () => {
  test('bytes come by the FIFO port, and EOT ends the command', () => {
    command(0x03, 0xdf, 0x03)
    command(0x46, 0, 0, 0, 4, 2, 5, 0x1b, 0xff)
    const found: number[] = []
    for (let sector = 0; sector < 2; sector++) {
      interrupted()
      expect(core.in8(MSR)).toBe(0xf0)
      for (let i = 0; i < 512; i++) found.push(core.in8(FIFO))
    }
    same(Uint8Array.from(found), bytes(3, 2))
    interrupted()
    expect(result()).toEqual([0x40, 0x80, 0, 1, 0, 1, 2])
  })

  test('and go by it', () => {
    command(0x03, 0xdf, 0x03)
    command(0x45, 0, 0, 0, 6, 2, 6, 0x1b, 0xff)
    interrupted()
    expect(core.in8(MSR)).toBe(0xb0)
    for (let i = 0; i < 512; i++) core.out8(FIFO, i & 0xff)
    interrupted()
    expect(result().slice(0, 2)).toEqual([0x40, 0x80])
    same(
      bytes(5, 1),
      Uint8Array.from({ length: 512 }, (_, i) => i & 0xff),
    )
  })
})

describe('drives and formats', () => {
  test.each<[string, [number, number, number], number]>([
    ['360 KB', [40, 2, 9], 1],
    ['720 KB', [80, 2, 9], 2],
    ['1.2 MB', [80, 2, 15], 0],
    ['1.44 MB', [80, 2, 18], 0],
    ['2.88 MB', [80, 2, 36], 3],
  ])(
    '%s: its last sector, and no address marks at another rate',
    (_name, [cylinders, heads, sectors], rate) => {
      const content = new Uint8Array(cylinders * heads * sectors * 512)
      content.fill(0x5a, content.length - 512)
      attach(content, [cylinders, heads, sectors])
      start()
      core.out8(0x3f7, rate)
      seek(cylinders - 1)
      dma(512)
      expect(transfer(READ, cylinders - 1, 1, sectors, sectors).slice(0, 3)).toEqual([4, 0, 0])
      same(memory(512), new Uint8Array(512).fill(0x5a))
      core.out8(0x3f7, rate === 3 ? 0 : 3)
      dma(512)
      expect(transfer(READ, cylinders - 1, 1, sectors, sectors).slice(0, 3)).toEqual([0x44, 1, 0])
    },
  )

  test('drive B, with its own motor', () => {
    attach(image(100), [80, 2, 18], 1)
    start()
    dma(512)
    expect(transfer(READ, 0, 0, 1, 18, 1).slice(0, 3)).toEqual([0x41, 1, 0])
    core.out8(DOR, 0x2d)
    dma(512)
    expect(transfer(READ, 0, 0, 1, 18, 1).slice(0, 3)).toEqual([1, 0, 0])
    same(memory(512), image(100).slice(0, 512))
  })

  test('the change line: from power-on to the first step, and again when the disk changes', () => {
    expect(core.in8(0x3f7) & 0x80).toBe(0x80)
    seek(1)
    expect(core.in8(0x3f7) & 0x80).toBe(0)
    core.eject(0)
    expect(core.in8(0x3f7) & 0x80).toBe(0x80)
    seek(2)
    expect(core.in8(0x3f7) & 0x80).toBe(0x80) // nothing in it: stepping does not help
    dma(512)
    expect(transfer(READ, 2, 0, 1).slice(0, 3)).toEqual([0x40, 1, 0])
    core.insert(0, image(50))
    expect(core.in8(0x3f7) & 0x80).toBe(0x80)
    seek(0)
    expect(core.in8(0x3f7) & 0x80).toBe(0)
    dma(512)
    expect(transfer(READ, 0, 0, 1).slice(0, 3)).toEqual([0, 0, 0])
    same(memory(512), image(50).slice(0, 512))
  })
})

describe('8237A', () => {
  test('registers, flip-flop, master clear', () => {
    core.out8(0x0c, 0)
    core.out8(0x06, 0x34)
    core.out8(0x06, 0x12)
    core.out8(0x0c, 0)
    expect([core.in8(0x06), core.in8(0x06)]).toEqual([0x34, 0x12])
    core.out8(0x82, 0x77)
    expect(core.in8(0x82)).toBe(0x77)
    core.out8(0xd8, 0)
    core.out8(0xc4, 0xcd)
    core.out8(0xc4, 0xab)
    core.out8(0xd8, 0)
    expect([core.in8(0xc4), core.in8(0xc4)]).toEqual([0xcd, 0xab])
    core.out8(0x0d, 0)
    expect(core.in8(0x0f)).toBe(0xff)
    core.out8(0x0e, 0)
    expect(core.in8(0x0f)).toBe(0xf0)
  })

  test('a transfer wraps within its 64 KiB page, downwards it comes backwards, auto-initialisation starts over', () => {
    dma(512, 0x46, 0x1ff00)
    transfer(READ, 0, 0, 1)
    same(memory(256, 0x1ff00), bytes(0, 1).slice(0, 256))
    same(memory(256, 0x10000), bytes(0, 1).slice(256))
    dma(512, 0x66, 0x13fff)
    transfer(READ, 0, 0, 1)
    same(memory(512, 0x13e00), bytes(0, 1).reverse())
    dma(512, 0x56)
    transfer(READ, 0, 0, 1)
    expect(core.in8(0x0f) & 4).toBe(0)
    core.out8(0x0c, 0)
    expect([core.in8(0x05), core.in8(0x05)]).toEqual([0xff, 0x01])
    expect(transfer(READ, 0, 0, 2).slice(0, 3)).toEqual([0, 0, 0])
    same(memory(512), bytes(1, 1))
  })

  test('verify mode counts and moves nothing; the wrong direction is an overrun', () => {
    dma(512, 0x42)
    expect(transfer(READ, 0, 0, 1).slice(0, 3)).toEqual([0, 0, 0])
    same(memory(512), new Uint8Array(512))
    dma(512, 0x4a)
    expect(transfer(READ, 0, 0, 1).slice(0, 3)).toEqual([0x40, 0x10, 0])
  })
})

test('noise leaves a controller that a reset brings back', () => {
  let seed = 7
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >> 8) % n
  }
  const ports = [0x3f0, 0x3f1, DOR, 0x3f3, MSR, FIFO, FIFO, FIFO, 0x3f7]
  for (let i = 0; i < 16; i++) ports.push(i, 0xc0 + 2 * i, 0x81 + (i % 15))
  for (let i = 0; i < 60_000; i++) {
    const port = ports[random(ports.length)]!
    if (random(3) === 0) core.in8(port)
    else core.out8(port, random(256))
    if (random(10) === 0) core.advance(random(300_000))
  }
  disk = image()
  core.disks.set(0, disk)
  start()
  dma(512)
  expect(transfer(READ, 0, 0, 1).slice(0, 3)).toEqual([0, 0, 0])
})
