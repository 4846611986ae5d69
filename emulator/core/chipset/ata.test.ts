import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const BASE = 0x1f0
const STATUS = BASE + 7
const ALTERNATE = 0x3f6
const BSY = 0x80
const READY = 0x50
const DRQ = 0x08
const ERR = 0x01
const SECTORS = 2000

// Sector n is filled with words that name it.
const image = () => {
  const disk = new Uint8Array(SECTORS * 512)
  const words = new Uint16Array(disk.buffer)
  for (let i = 0; i < words.length; i++) words[i] = (i >> 8) * 7 + (i & 0xff)
  return disk
}
let disk: Uint8Array
const sectorWords = (lba: number) => [...new Uint16Array(disk.buffer, lba * 512, 256)]

beforeEach(() => {
  disk = image()
  core.disks.clear()
  core.u8.fill(0, L.DRIVES, L.DRIVES + L.DRIVE_COUNT * L.DRIVE_SIZE)
  core.blockError = L.BLOCK_ERROR_NONE
  core.attach(L.DRIVE_ATA0, disk, 4, 10)
  core.reset()
  core.initialisePic()
})

const lba28 = (lba: number, count: number, device = 0) => {
  core.out8(BASE + 6, 0xe0 | (device << 4) | ((lba >> 24) & 15))
  core.out8(BASE + 2, count)
  core.out8(BASE + 3, lba)
  core.out8(BASE + 4, lba >> 8)
  core.out8(BASE + 5, lba >> 16)
}
const lba48 = (lba: number, count: number) => {
  core.out8(BASE + 6, 0x40)
  for (const shift of [8, 0]) core.out8(BASE + 2, (count >> shift) & 0xff)
  for (const [offset, low, high] of [
    [3, 0, 24],
    [4, 8, 32],
    [5, 16, 40],
  ] as const) {
    core.out8(BASE + offset, Math.floor(lba / 2 ** high) & 0xff)
    core.out8(BASE + offset, Math.floor(lba / 2 ** low) & 0xff)
  }
}
const command = (value: number) => core.out8(STATUS, value)
/** Busy, then at the deadline IRQ 14; answers the status (which takes the interrupt). */
const interrupt = () => {
  expect(core.in8(ALTERNATE)).toBe(BSY | READY)
  expect(core.intr).toBe(false)
  core.skipToDeadline()
  return taken()
}
const taken = () => {
  expect(core.intr).toBe(true)
  expect(core.acknowledge()).toBe(0x2e)
  core.out8(0xa0, 0x20)
  core.out8(0x20, 0x20)
  const status = core.in8(STATUS)
  expect(core.intr).toBe(false)
  return status
}
const readWords = (count = 256) => Array.from({ length: count }, () => core.in16(BASE))
const writeWords = (words: number[]) => {
  for (const word of words) core.out16(BASE, word)
}
const pattern = (seed: number) => Array.from({ length: 256 }, (_, i) => (seed * 257 + i * 31) & 0xffff)

describe('selection and reset', () => {
  test('power-on shows the signature of a disk', () => {
    expect([1, 2, 3, 4, 5, 7].map((offset) => core.in8(BASE + offset))).toEqual([1, 1, 1, 0, 0, READY])
  })

  test('an absent device answers 0, an absent channel too', () => {
    core.out8(BASE + 6, 0xb0)
    expect(core.in8(STATUS)).toBe(0)
    command(0xec)
    expect(core.in8(STATUS)).toBe(0)
    expect(core.in8(0x177)).toBe(0)
    expect(core.in16(0x170)).toBe(0xffff)
  })

  test('software reset: BSY while it is held, then the signature', () => {
    lba28(0, 2)
    command(0x20)
    core.out8(ALTERNATE, 0x04)
    expect(core.in8(ALTERNATE)).toBe(BSY)
    core.out8(ALTERNATE, 0x00)
    expect([1, 2, 3, 4, 5, 7].map((offset) => core.in8(BASE + offset))).toEqual([1, 1, 1, 0, 0, READY])
    core.advance(1_000_000)
    expect(core.in8(STATUS)).toBe(READY)
    expect(core.intr).toBe(false)
  })

  test('EXECUTE DEVICE DIAGNOSTIC', () => {
    lba28(5, 5)
    command(0x90)
    expect(taken()).toBe(READY)
    expect([1, 2, 3, 4, 5].map((offset) => core.in8(BASE + offset))).toEqual([1, 1, 1, 0, 0])
  })

  test('nIEN keeps the line down, the interrupt stays pending', () => {
    core.out8(ALTERNATE, 0x02)
    lba28(0, 1)
    command(0x40)
    core.skipToDeadline()
    expect(core.intr).toBe(false)
    core.out8(ALTERNATE, 0x00)
    expect(core.intr).toBe(true)
  })
})

describe('IDENTIFY DEVICE', () => {
  test('names the disk and its size, with a right checksum', () => {
    core.out8(BASE + 6, 0xa0)
    command(0xec)
    expect(interrupt()).toBe(READY | DRQ)
    const words = readWords()
    const text = (from: number, count: number) =>
      words
        .slice(from, from + count)
        .map((word) => String.fromCharCode(word >> 8, word & 0xff))
        .join('')
        .trim()
    expect(text(27, 20)).toBe('Ringside disk')
    expect(text(10, 10)).toBe('RS000002')
    expect(words.slice(0, 7)).toEqual([0x40, 50, 0, 4, 0, 0, 10])
    expect(words[60]! | (words[61]! << 16)).toBe(SECTORS)
    expect(words[100]).toBe(SECTORS)
    expect(words[49]! & 0x0300).toBe(0x0300) // LBA, DMA
    expect([words[63], words[88]]).toEqual([0x0407, 0x0007]) // multiword mode 2 is set
    expect(words[83]! & 0xc400).toBe(0x4400) // valid, 48-bit
    expect(words.reduce((sum, word) => sum + (word & 0xff) + (word >> 8), 0) & 0xff).toBe(0)
    expect(core.in8(STATUS)).toBe(READY)
  })

  test('a disk is no packet device', () => {
    command(0xa1)
    expect(taken()).toBe(READY | ERR)
    expect([core.in8(BASE + 1), core.in8(BASE + 4), core.in8(BASE + 5)]).toEqual([4, 0, 0])
  })
})

describe('reading', () => {
  test('READ SECTORS: an interrupt for each sector, none at the end', () => {
    lba28(100, 3)
    command(0x20)
    for (const lba of [100, 101, 102]) {
      expect(interrupt()).toBe(READY | DRQ)
      expect(readWords()).toEqual(sectorWords(lba))
    }
    expect(core.in8(ALTERNATE)).toBe(READY)
    expect(core.intr).toBe(false)
    expect(core.untilDeadline).toBeUndefined()
    expect(core.in8(BASE + 3)).toBe(102)
  })

  test('a count of 0 is 256 sectors', () => {
    lba28(0, 0)
    command(0x20)
    for (let lba = 0; lba < 256; lba++) {
      expect(interrupt()).toBe(READY | DRQ)
      expect(readWords()).toEqual(sectorWords(lba))
    }
    expect(core.in8(ALTERNATE)).toBe(READY)
  })

  test('EXT, and HOB shows the older bytes', () => {
    lba48(1500, 1)
    expect(core.in8(BASE + 4)).toBe(1500 >> 8)
    core.out8(ALTERNATE, 0x80)
    expect(core.in8(BASE + 4)).toBe(0)
    core.out8(ALTERNATE, 0)
    command(0x24)
    expect(interrupt()).toBe(READY | DRQ)
    expect(readWords()).toEqual(sectorWords(1500))
  })

  test('CHS, with the translation that INITIALIZE DEVICE PARAMETERS sets', () => {
    const chs = (cylinder: number, head: number, sector: number) => {
      core.out8(BASE + 6, 0xa0 | head)
      core.out8(BASE + 2, 1)
      core.out8(BASE + 3, sector)
      core.out8(BASE + 4, cylinder)
      core.out8(BASE + 5, cylinder >> 8)
    }
    chs(7, 3, 10)
    command(0x20)
    expect(interrupt()).toBe(READY | DRQ)
    expect(readWords()).toEqual(sectorWords((7 * 4 + 3) * 10 + 9))
    for (const [cylinder, head, sector] of [
      [0, 0, 0],
      [0, 0, 11],
      [0, 4, 1],
      [50, 0, 1],
    ] as const) {
      chs(cylinder, head, sector)
      command(0x20)
      expect(taken()).toBe(READY | ERR)
      expect(core.in8(BASE + 1)).toBe(0x10)
    }
    core.out8(BASE + 6, 0xa0 | 15)
    core.out8(BASE + 2, 17)
    command(0x91)
    expect(taken()).toBe(READY)
    chs(2, 15, 17)
    command(0x20)
    expect(interrupt()).toBe(READY | DRQ)
    expect(readWords()).toEqual(sectorWords((2 * 16 + 15) * 17 + 16))
  })

  test('READ MULTIPLE moves blocks, the last one shorter', () => {
    lba28(0, 4)
    command(0xc6)
    expect(taken()).toBe(READY)
    lba28(10, 6)
    command(0xc4)
    expect(interrupt()).toBe(READY | DRQ)
    expect(readWords(4 * 256)).toEqual([10, 11, 12, 13].flatMap(sectorWords))
    expect(interrupt()).toBe(READY | DRQ)
    expect(readWords(2 * 256)).toEqual([14, 15].flatMap(sectorWords))
    expect(core.in8(ALTERNATE)).toBe(READY)
  })

  test('READ MULTIPLE without SET MULTIPLE, and block sizes that do not exist, abort', () => {
    lba28(0, 1)
    command(0xc4)
    expect(taken()).toBe(READY | ERR)
    for (const block of [3, 16, 128]) {
      core.out8(BASE + 2, block)
      command(0xc6)
      expect(taken()).toBe(READY | ERR)
      expect(core.in8(BASE + 1)).toBe(4)
    }
  })

  test('the data register in 8 and 32 bits', () => {
    lba28(3, 1)
    command(0x20)
    interrupt()
    const words = sectorWords(3)
    expect(core.in32(BASE)).toBe(words[0]! | (words[1]! << 16))
    expect(core.in8(BASE)).toBe(words[2]! & 0xff)
    for (let i = 0; i < 126; i++) core.in32(BASE)
    expect(core.in32(BASE)).toBe((words[254]! >> 8) | (words[255]! << 8)) // three bytes are left
    expect(core.in8(ALTERNATE)).toBe(READY)
  })

  test('READ VERIFY moves no data', () => {
    lba28(0, 20)
    command(0x40)
    for (let i = 0; i < 19; i++) {
      core.skipToDeadline()
      expect(core.in8(ALTERNATE)).toBe(BSY | READY)
    }
    expect(interrupt()).toBe(READY)
  })
})

describe('writing', () => {
  test('WRITE SECTORS: data first, an interrupt after each sector', () => {
    lba28(200, 2)
    command(0x30)
    expect(core.in8(ALTERNATE)).toBe(READY | DRQ)
    expect(core.intr).toBe(false)
    writeWords(pattern(1))
    expect(interrupt()).toBe(READY | DRQ)
    writeWords(pattern(2))
    expect(interrupt()).toBe(READY)
    expect([sectorWords(200), sectorWords(201)]).toEqual([pattern(1), pattern(2)])
    expect(sectorWords(202)[0]).toBe((202 * 7) & 0xffff)
  })

  test('EXT and MULTIPLE', () => {
    lba28(0, 8)
    command(0xc6)
    taken()
    lba48(300, 8)
    command(0x39)
    for (let i = 0; i < 8; i++) writeWords(pattern(i))
    expect(interrupt()).toBe(READY)
    expect(Array.from({ length: 8 }, (_, i) => sectorWords(300 + i))).toEqual(
      Array.from({ length: 8 }, (_, i) => pattern(i)),
    )
    lba48(310, 1)
    command(0x34)
    writeWords(pattern(9))
    expect(interrupt()).toBe(READY)
    expect(sectorWords(310)).toEqual(pattern(9))
  })

  test('a read-only drive aborts', () => {
    core.u32[(L.DRIVES + L.DRIVE_ATA0 * L.DRIVE_SIZE + L.DRIVE_READ_ONLY) / 4] = 1
    lba28(0, 1)
    command(0x30)
    expect(taken()).toBe(READY | ERR)
    expect(core.in8(BASE + 1)).toBe(4)
  })
})

describe('errors', () => {
  test('an address behind the end: IDNF', () => {
    lba28(SECTORS, 1)
    command(0x20)
    expect(taken()).toBe(READY | ERR)
    expect(core.in8(BASE + 1)).toBe(0x10)
  })

  test('a range that runs over the end fails at the first sector that is not there', () => {
    lba28(SECTORS - 2, 5)
    command(0x20)
    expect(interrupt()).toBe(READY | DRQ)
    readWords()
    expect(interrupt()).toBe(READY | DRQ)
    expect(readWords()).toEqual(sectorWords(SECTORS - 1))
    expect(interrupt()).toBe(READY | ERR)
    expect(core.in8(BASE + 1)).toBe(0x10)
    expect(core.in8(BASE + 3) | (core.in8(BASE + 4) << 8)).toBe(SECTORS)
  })

  test('a host that cannot read: UNC; that cannot write: device fault', () => {
    core.blockError = L.BLOCK_ERROR_MEDIUM
    lba28(77, 1)
    command(0x20)
    expect(interrupt()).toBe(READY | ERR)
    expect(core.in8(BASE + 1)).toBe(0x40)
    expect(core.in8(BASE + 3)).toBe(77)
    lba28(77, 1)
    command(0x30)
    writeWords(pattern(0))
    expect(interrupt()).toBe(READY | ERR | 0x20)
    expect(core.in8(BASE + 1)).toBe(4)
  })

  test.each([0x00, 0x26, 0xa0, 0xb0, 0xff])('command %i is aborted', (value) => {
    command(value)
    expect(taken()).toBe(READY | ERR)
    expect(core.in8(BASE + 1)).toBe(4)
  })
})

test('the other commands of a disk', () => {
  for (const value of [0x10, 0xe0, 0xe1, 0xe3]) {
    command(value)
    expect(taken()).toBe(READY)
  }
  command(0xe5)
  expect([taken(), core.in8(BASE + 2)]).toEqual([READY, 0xff])
  command(0xe2)
  taken()
  command(0xe5)
  expect([taken(), core.in8(BASE + 2)]).toEqual([READY, 0])
  for (const value of [0xe7, 0xea]) {
    command(value)
    expect(interrupt()).toBe(READY)
  }
  core.out8(BASE + 6, 0x40)
  command(0xf8)
  expect(taken()).toBe(READY)
  expect(core.in8(BASE + 3) | (core.in8(BASE + 4) << 8)).toBe(SECTORS - 1)
  core.out8(BASE + 1, 0x02)
  command(0xef)
  expect(taken()).toBe(READY)
  core.out8(BASE + 1, 0x77)
  command(0xef)
  expect(taken()).toBe(READY | ERR)
})

test('FLUSH CACHE: busy and ready while the host works; where nobody is, or nothing is in the drive, it harms nobody', () => {
  core.out8(BASE + 6, 0)
  command(0xe7)
  expect(core.in8(STATUS) & (BSY | 0x40 | DRQ | 0x20 | ERR)).toBe(BSY | 0x40)
  core.skipToDeadline()
  expect(core.in8(BASE + 6) & 0x10).toBe(0)
  expect(core.in8(STATUS)).toBe(READY)
  core.out8(0x176, 0)
  core.out8(0x177, 0xe7) // nobody
  expect(core.in8(0x177)).toBe(0)
  core.attachCd(L.DRIVE_ATA0 + 2)
  core.reset()
  core.out8(0x176, 0)
  core.out8(0x177, 0xe7) // an empty CD drive has no such command, or nothing to flush
  while (core.in8(0x177) & BSY) core.skipToDeadline()
  expect(core.in8(0x177) & (BSY | DRQ)).toBe(0)
})

test('EXECUTE DEVICE DIAGNOSTIC given to device 1 selects device 0', () => {
  core.attach(L.DRIVE_ATA0 + 1, image(), 4, 10)
  core.reset()
  core.out8(BASE + 6, 0x10)
  expect(core.in8(BASE + 6) & 0x10).toBe(0x10)
  command(0x90)
  expect(core.in8(BASE + 6) & 0x10).toBe(0)
})

test('IDENTIFY DEVICE with the status looked at before each word', () => {
  core.out8(BASE + 6, 0)
  command(0xec)
  core.skipToDeadline()
  const words = Array.from({ length: 256 }, () => {
    expect(core.in8(STATUS)).toBe(READY | DRQ)
    return core.in16(BASE)
  })
  expect(core.in8(STATUS)).toBe(READY)
  expect(words[85]! & 0x20).toBe(0x20) // the write cache is on
})

test('four disks on two channels keep apart', () => {
  const disks = [L.DRIVE_ATA0, L.DRIVE_ATA0 + 1, L.DRIVE_ATA0 + 2, L.DRIVE_ATA0 + 3]
  for (const drive of disks) core.attach(drive, new Uint8Array(10 * 512).fill(drive), 1, 10)
  core.reset()
  core.initialisePic()
  for (const [i, drive] of disks.entries()) {
    const base = i < 2 ? 0x1f0 : 0x170
    core.out8(base + 6, 0xe0 | ((i & 1) << 4))
    core.out8(base + 2, 1)
    core.out8(base + 3, 1)
    core.out8(base + 4, 0)
    core.out8(base + 5, 0)
    core.out8(base + 7, 0x20)
    core.skipToDeadline()
    expect(core.acknowledge()).toBe(i < 2 ? 0x2e : 0x2f)
    core.out8(0xa0, 0x20)
    core.out8(0x20, 0x20)
    expect(core.in8(base + 7)).toBe(READY | DRQ)
    expect(core.in32(base)).toBe(drive * 0x01010101)
    for (let word = 2; word < 256; word++) core.in16(base)
  }
})

test('when it ends is a matter of machine time alone', () => {
  lba28(0, 1)
  command(0x20)
  core.advance(19_999)
  expect(core.in8(ALTERNATE)).toBe(BSY | READY)
  core.advance(1)
  expect(core.in8(ALTERNATE)).toBe(READY | DRQ)
})
