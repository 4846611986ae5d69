import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const BASE = 0x1f0
const STATUS = BASE + 7
const READY = 0x50
const ERR = 0x01
const BM = 0xc000
const TABLE = 0x1000
const BUFFER = 0x10000
const SECTORS = 1000
const ACTIVE = 1
const ERROR = 2
const INTERRUPT = 4
const READ = 8

const image = (seed = 0) =>
  Uint8Array.from({ length: SECTORS * 512 }, (_, i) => (i >> 9) * 5 + (i % 253) + seed)
let disk: Uint8Array

/** Configuration space by CF8h: as the firmware places the IDE function's range, with mastering on. */
const configure = (at: number, value: number) => {
  core.out32(0xcf8, 0x80000900 | at)
  core.out32(0xcfc, value)
}

beforeEach(() => {
  disk = image()
  core.disks.clear()
  core.u8.fill(0, L.DRIVES, L.DRIVES + L.DRIVE_COUNT * L.DRIVE_SIZE)
  core.ram.fill(0)
  core.blockError = L.BLOCK_ERROR_NONE
  core.attach(L.DRIVE_ATA0, disk, 4, 10)
  core.attachCd(L.DRIVE_ATA0 + 2, image(7).subarray(0, 200 * 2048))
  core.reset()
  core.initialisePic()
  configure(0x20, BM)
  configure(0x04, 5)
})

/** Descriptors: [address, bytes], the last with EOT. */
const table = (...entries: [address: number, count: number][]) => {
  const view = new DataView(core.ram.buffer, core.ram.byteOffset)
  entries.forEach(([address, count], i) => {
    view.setUint32(TABLE + 8 * i, address, true)
    view.setUint32(
      TABLE + 8 * i + 4,
      ((count & 0xffff) | (i === entries.length - 1 ? 0x80000000 : 0)) >>> 0,
      true,
    )
  })
  core.out32(BM + 4, TABLE)
}
const task = (lba: number, count: number, command: number) => {
  core.out8(BASE + 6, 0xe0 | ((lba >> 24) & 15))
  core.out8(BASE + 2, count)
  core.out8(BASE + 3, lba)
  core.out8(BASE + 4, lba >> 8)
  core.out8(BASE + 5, lba >> 16)
  core.out8(STATUS, command)
}
const status = () => core.in8(BM + 2) & 7
const settle = () => {
  while (core.untilDeadline !== undefined && !core.intr && core.untilDeadline < 1e6) core.skipToDeadline()
}
const end = () => {
  settle()
  expect(core.intr).toBe(true)
  core.acknowledge()
  core.out8(0xa0, 0x20)
  core.out8(0x20, 0x20)
  return core.in8(STATUS)
}
const bytes = (lba: number, count: number) => disk.slice(lba * 512, (lba + count) * 512)
/** toEqual takes seconds for arrays of this size. */
const same = (found: Uint8Array, wanted: Uint8Array) => expect(Buffer.compare(found, wanted)).toBe(0)
const memory = (at: number, length: number) => core.ram.slice(at, at + length)

describe('reading', () => {
  test('READ DMA into two regions; status and interrupt as the specification has them', () => {
    table([BUFFER, 1024], [BUFFER + 0x2000, 3 * 512])
    core.out8(BM, READ)
    task(17, 5, 0xc8)
    core.out8(BM, READ | 1)
    expect(status()).toBe(ACTIVE)
    expect(end()).toBe(READY)
    expect(status()).toBe(INTERRUPT)
    same(memory(BUFFER, 1024), bytes(17, 2))
    same(memory(BUFFER + 0x2000, 1536), bytes(19, 3))
    core.out8(BM + 2, INTERRUPT) // write one to clear
    expect(status()).toBe(0)
    core.out8(BM, READ)
  })

  test('the engine may be started before the command, or long after it', () => {
    table([BUFFER, 512])
    core.out8(BM, READ | 1)
    task(3, 1, 0xc8)
    expect(end()).toBe(READY)
    same(memory(BUFFER, 512), bytes(3, 1))
    core.out8(BM, 0)
    core.ram.fill(0, BUFFER, BUFFER + 512)
    core.out8(BM + 2, INTERRUPT)
    task(4, 1, 0xc8)
    core.advance(5_000_000)
    expect(core.intr).toBe(false)
    expect(core.in8(0x3f6)).toBe(READY | 8)
    core.out8(BM, READ | 1)
    expect(end()).toBe(READY)
    same(memory(BUFFER, 512), bytes(4, 1))
  })

  test('READ DMA EXT of more than the host hands over at once', () => {
    const count = 600 // 300 KiB
    table(
      ...Array.from({ length: 5 }, (_, i): [number, number] => [BUFFER + i * 0x10000, i === 4 ? 0xb000 : 0]),
    )
    core.out8(BM, READ)
    core.out8(BASE + 6, 0x40)
    for (const [offset, older, newer] of [
      [2, count >> 8, count & 0xff],
      [3, 0, 100],
      [4, 0, 0],
      [5, 0, 0],
    ] as const) {
      core.out8(BASE + offset, older)
      core.out8(BASE + offset, newer)
    }
    core.out8(STATUS, 0x25)
    core.out8(BM, READ | 1)
    expect(end()).toBe(READY)
    same(memory(BUFFER, count * 512), bytes(100, count))
    expect(status()).toBe(INTERRUPT)
  })

  test('a table longer than the transfer: interrupt while active', () => {
    table([BUFFER, 512], [BUFFER + 512, 512])
    task(0, 1, 0xc8)
    core.out8(BM, READ | 1)
    expect(end()).toBe(READY)
    expect(status()).toBe(ACTIVE | INTERRUPT)
    core.out8(BM, 0)
    expect(status()).toBe(INTERRUPT)
  })

  test('a table shorter than the transfer: neither active nor an interrupt; another table takes the rest', () => {
    table([BUFFER, 700])
    task(10, 2, 0xc8)
    core.out8(BM, READ | 1)
    settle()
    expect([core.intr, status()]).toEqual([false, 0])
    same(memory(BUFFER, 700), bytes(10, 2).slice(0, 700))
    core.out8(BM, READ)
    table([BUFFER + 700, 324])
    core.out8(BM, READ | 1)
    expect(end()).toBe(READY)
    same(memory(BUFFER, 1024), bytes(10, 2))
  })

  test('an odd address loses its lowest bit, an odd count too', () => {
    table([BUFFER + 1, 513])
    task(2, 1, 0xc8)
    core.out8(BM, READ | 1)
    expect(end()).toBe(READY)
    same(memory(BUFFER, 512), bytes(2, 1))
  })

  test('behind the last sector: what there is comes, then the error', () => {
    table([BUFFER, 4096])
    task(SECTORS - 2, 4, 0xc8)
    core.out8(BM, READ | 1)
    expect(end()).toBe(READY | ERR)
    expect(core.in8(BASE + 1)).toBe(0x10)
    same(memory(BUFFER, 1024), bytes(SECTORS - 2, 2))
  })
})

describe('a region of every size against transfers of every size (SFF-8038i, "status")', () => {
  /** Status of the bus master once the engine rests or the drive has interrupted; what the drive says. */
  const transfer = (count: number, size: number) => {
    core.out8(BM, 0)
    core.out8(BM + 2, INTERRUPT)
    table([BUFFER, size])
    task(0, count, 0xc8)
    core.out8(BM, READ | 1)
    settle()
    const found = status()
    expect(core.intr).toBe((found & INTERRUPT) !== 0)
    return found
  }
  test.each([1, 2, 4, 8, 16, 32, 64, 128])('%i sectors', (count) => {
    const wanted = count * 512
    for (let size = 0; size < 65536; size += count < 8 ? 512 : 2048) {
      const room = size || 65536
      const found = transfer(count, size)
      // Shorter: neither; as long: the interrupt alone; longer: the engine is still active
      expect([count, size, found]).toEqual([
        count,
        size,
        room < wanted ? 0 : room === wanted ? INTERRUPT : ACTIVE | INTERRUPT,
      ])
      if (found & INTERRUPT) expect(end()).toBe(READY)
      else {
        // The drive has data left; a software reset is what brings it back
        expect(core.in8(0x3f6)).toBe(READY | 8)
        core.out8(0x3f6, 4)
        core.out8(0x3f6, 0)
        expect(core.in8(STATUS)).toBe(READY)
      }
    }
  })

  test('stopping the engine before the drive has anything moves nothing, and the next start does', () => {
    core.ram.fill(0xcc, BUFFER, BUFFER + 512)
    table([BUFFER, 512])
    task(6, 1, 0xc8)
    core.out8(BM, READ | 1)
    core.out8(BM, READ)
    expect(status()).toBe(0)
    settle()
    expect([core.intr, status(), core.ram[BUFFER]]).toEqual([false, 0, 0xcc])
    core.out8(BM, READ | 1)
    expect(end()).toBe(READY)
    same(memory(BUFFER, 512), bytes(6, 1))
  })
})

describe('writing', () => {
  test('WRITE DMA gathers from memory', () => {
    const data = Uint8Array.from({ length: 1536 }, (_, i) => i * 7)
    core.ram.set(data, BUFFER)
    table([BUFFER, 1000], [BUFFER + 1000, 536])
    core.out8(BM, 0)
    task(30, 3, 0xca)
    core.out8(BM, 1)
    expect(end()).toBe(READY)
    expect(status()).toBe(INTERRUPT)
    same(bytes(30, 3), data)
  })

  test('the wrong direction moves nothing', () => {
    table([BUFFER, 512])
    task(30, 1, 0xca)
    core.out8(BM, READ | 1)
    settle()
    expect([core.intr, status()]).toEqual([false, ACTIVE])
    expect(bytes(30, 1)).toEqual(image().slice(30 * 512, 31 * 512))
  })

  test('a read-only disk and one the host cannot write', () => {
    core.blockError = L.BLOCK_ERROR_MEDIUM
    table([BUFFER, 512])
    task(1, 1, 0xca)
    core.out8(BM, 1)
    expect(end()).toBe(READY | ERR | 0x20)
  })
})

describe('absurd tables', () => {
  test.each([0x00f0_0000, 0x7fff_fffe, 0xfffe_0000 - 0x1000, 0xffff_fff0])(
    "a region at %i is nobody's: Error, not active, no interrupt",
    (address) => {
      table([address, 512])
      task(0, 1, 0xc8)
      core.out8(BM, READ | 1)
      settle()
      expect([core.intr, status()]).toEqual([false, ERROR])
      core.out8(BM, 0)
      core.out8(BM + 2, ERROR)
      // The drive still has its data: the next start gets it
      table([BUFFER, 512])
      core.out8(BM, READ | 1)
      expect(end()).toBe(READY)
      same(memory(BUFFER, 512), bytes(0, 1))
    },
  )

  test('a table that lies nowhere', () => {
    core.out32(BM + 4, 0x8000_0000)
    task(0, 1, 0xc8)
    core.out8(BM, READ | 1)
    settle()
    expect([core.intr, status()]).toEqual([false, ERROR])
  })

  test('the ROM takes a write and keeps what it has', () => {
    const before = core.peek(0xf0000)
    table([0xf0000, 512])
    task(0, 1, 0xc8)
    core.out8(BM, READ | 1)
    expect(end()).toBe(READY)
    expect(core.peek(0xf0000)).toBe(before)
  })

  test('a table without an end that overwrites itself', () => {
    const view = new DataView(core.ram.buffer, core.ram.byteOffset)
    for (let i = 0; i < 8192; i++) {
      view.setUint32(0x10000 + i * 8, 0x10000, true)
      view.setUint32(0x10000 + i * 8 + 4, 2, true)
    }
    core.out32(BM + 4, 0x10000)
    task(0, 0, 0xc8)
    core.out8(BM, READ | 1)
    settle()
    core.out8(BM, 0)
    core.out8(STATUS, 0xec)
    settle()
    expect(core.in8(STATUS) & 0x80).toBe(0)
  })

  test('mastering is off: nothing moves', () => {
    configure(0x04, 1)
    table([BUFFER, 512])
    task(0, 1, 0xc8)
    core.out8(BM, READ | 1)
    settle()
    expect(core.intr).toBe(false)
    same(memory(BUFFER, 512), new Uint8Array(512))
  })
})

test('registers: which bits there are', () => {
  core.out8(BM, 0xfe)
  expect(core.in8(BM)).toBe(READ)
  core.out32(BM + 4, 0xffff_ffff)
  expect(core.in32(BM + 4)).toBe(0xffff_fffc)
  core.out8(BM + 2, 0xff)
  expect(core.in8(BM + 2)).toBe(0x60)
  expect(core.in8(BM + 8 + 2)).toBe(0)
  expect([core.in8(BM + 1), core.in8(BM + 3)]).toEqual([0, 0])
})

test('SET FEATURES chooses a DMA mode and IDENTIFY shows it', () => {
  const modes = () => {
    core.out8(STATUS, 0xec)
    end()
    const words = Array.from({ length: 256 }, () => core.in16(BASE))
    return [words[63], words[88]]
  }
  const set = (mode: number) => {
    core.out8(BASE + 1, 3)
    core.out8(BASE + 2, mode)
    core.out8(STATUS, 0xef)
    return end()
  }
  expect(set(0x42)).toBe(READY)
  expect(modes()).toEqual([7, 0x0407])
  expect(set(0x21)).toBe(READY)
  expect(modes()).toEqual([0x0207, 7])
  expect(set(0x45)).toBe(READY | ERR)
})

describe('a CD drive', () => {
  const cd = 0x170
  const packet = (command: number[]) => {
    core.out8(cd + 6, 0xa0)
    core.out8(cd + 1, 1) // DMA
    core.out8(cd + 7, 0xa0)
    const packetBytes = Uint8Array.from({ length: 12 }, (_, i) => command[i] ?? 0)
    for (let i = 0; i < 12; i += 2) core.out16(cd, packetBytes[i]! | (packetBytes[i + 1]! << 8))
    core.out8(BM + 8, READ | 1)
    settle()
    expect(core.intr).toBe(true)
    core.acknowledge()
    core.out8(0xa0, 0x20)
    core.out8(0x20, 0x20)
    core.out8(BM + 8, 0)
    return [core.in8(cd + 2), core.in8(cd + 7)]
  }
  const prd = (count: number) => {
    table([BUFFER, count])
    core.out32(BM + 8 + 4, TABLE)
  }

  test('sectors and answers come by DMA', () => {
    prd(8)
    expect(packet([0x25])[1]).toBe(READY | ERR) // the unit attention of the reset
    expect(packet([0x25])).toEqual([3, READY])
    expect([...memory(BUFFER, 8)]).toEqual([0, 0, 0, 199, 0, 0, 8, 0])
    prd(0)
    expect(packet([0x28, 0, 0, 0, 0, 11, 0, 0, 32])).toEqual([3, READY])
    same(memory(BUFFER, 0x10000), image(7).slice(11 * 2048, 43 * 2048))
    expect(core.in8(BM + 8 + 2) & 7).toBe(INTERRUPT)
  })
})

test('noise on every register of the interface leaves a machine that still reads', () => {
  let seed = 99
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >> 8) % n
  }
  const ports = [BM, BM + 2, BM + 4, BM + 8, BM + 10, BM + 12, 0x3f6, 0x376]
  for (let i = 0; i < 8; i++) ports.push(0x1f0 + i, 0x170 + i)
  for (let i = 0; i < 60_000; i++) {
    const port = ports[random(ports.length)]!
    const size = [1, 1, 2, 4][random(4)]!
    if (random(3) === 0) core.exports.portRead(port, size)
    else core.exports.portWrite(port, size, random(2) ? random(256) : random(0x7fffffff))
    if (random(8) === 0) core.advance(random(50_000))
  }
  core.reset()
  core.initialisePic()
  disk.set(image())
  task(5, 1, 0x20)
  expect(end()).toBe(READY | 8)
})
