import { beforeEach, describe, expect, test } from 'vitest'
import * as L from '../layout'
import { TestCore } from '../testing/core'

const core = new TestCore()
const BASE = 0x170
const STATUS = BASE + 7
const READY = 0x50
const DRQ = 0x08
const ERR = 0x01
const CD = L.DRIVE_ATA0 + 2
const SECTORS = 40

/** Sector n is filled with bytes that name it. */
const disc = (seed = 0) =>
  Uint8Array.from({ length: SECTORS * 2048 }, (_, i) => (i >> 11) * 3 + (i % 251) + seed)
let image: Uint8Array

/** A drive on the secondary channel whose unit attention of the reset has been heard. */
function setUp(content?: Uint8Array) {
  core.disks.clear()
  core.u8.fill(0, L.DRIVES, L.DRIVES + L.DRIVE_COUNT * L.DRIVE_SIZE)
  core.blockError = L.BLOCK_ERROR_NONE
  core.attachCd(CD, content)
  core.reset()
  core.initialisePic()
  packet([0x00])
}

beforeEach(() => {
  image = disc()
  setUp(image)
})

const interrupted = () => {
  expect(core.intr).toBe(true)
  expect(core.acknowledge()).toBe(0x2f)
  core.out8(0xa0, 0x20)
  core.out8(0x20, 0x20)
}
/** What the task file says: reason, byte count, status (which takes the interrupt). */
const reply = () => {
  interrupted()
  return {
    reason: core.in8(BASE + 2),
    count: core.in8(BASE + 4) | (core.in8(BASE + 5) << 8),
    error: core.in8(BASE + 1),
    status: core.in8(STATUS),
  }
}

/** Gives a packet command by PIO and takes all its data; blocks: their sizes; sense key by the error register. */
function packet(bytes: number[], limit = 0xfffe) {
  core.out8(BASE + 6, 0xa0)
  core.out8(BASE + 1, 0)
  core.out8(BASE + 4, limit & 0xff)
  core.out8(BASE + 5, limit >> 8)
  core.out8(STATUS, 0xa0)
  expect(core.in8(0x376)).toBe(READY | DRQ)
  expect(core.in8(BASE + 2)).toBe(1)
  expect(core.intr).toBe(false)
  const command = Uint8Array.from({ length: 12 }, (_, i) => bytes[i] ?? 0)
  for (let i = 0; i < 12; i += 2) core.out16(BASE, command[i]! | (command[i + 1]! << 8))
  const data: number[] = []
  const blocks: number[] = []
  for (;;) {
    if (core.in8(0x376) & 0x80) core.skipToDeadline()
    const { reason, count, status, error } = reply()
    if (!(status & DRQ)) return { data, blocks, status, error, reason }
    expect(reason).toBe(2)
    blocks.push(count)
    for (let i = 0; i < count; i += 2) {
      const word = core.in16(BASE)
      data.push(word & 0xff)
      if (i + 1 < count) data.push(word >> 8)
    }
  }
}
const sense = () => {
  const { data } = packet([0x03, 0, 0, 0, 18])
  expect(data.length).toBe(18)
  return [data[2], data[12], data[13]]
}
const sectors = (lba: number, count: number) => [...image.subarray(lba * 2048, (lba + count) * 2048)]
const read10 = (lba: number, count: number) => [
  0x28,
  0,
  0,
  0,
  lba >> 8,
  lba & 0xff,
  0,
  count >> 8,
  count & 0xff,
]
const ok = { status: READY, reason: 3 }
const text = (bytes: number[]) => String.fromCharCode(...bytes)

describe('the task file', () => {
  test("after a reset: the signature, not ready for a disk's commands", () => {
    core.reset()
    expect([1, 2, 3, 4, 5, 7].map((offset) => core.in8(BASE + offset))).toEqual([1, 1, 1, 0x14, 0xeb, 0])
    core.out8(BASE + 6, 0xb0) // no device 1: a packet device 0 answers zeros for it
    expect([1, 2, 3, 4, 5, 7].map((offset) => core.in8(BASE + offset))).toEqual([0, 0, 0, 0, 0, 0])
  })

  test.each([0xec, 0x20])('command %i is aborted with the signature', (command) => {
    core.out8(BASE + 6, 0xa0)
    core.out8(STATUS, command)
    expect(reply()).toMatchObject({ error: 4, status: READY | ERR, count: 0xeb14 })
  })

  test('a disk and a CD drive on one channel keep their registers apart', () => {
    core.attach(CD + 1, new Uint8Array(512 * 100))
    core.reset()
    core.initialisePic()
    const registers = () => [3, 4, 5, 7].map((offset) => core.in8(BASE + offset))
    expect(registers()).toEqual([1, 0x14, 0xeb, 0])
    core.out8(BASE + 6, 0xb0)
    expect(registers()).toEqual([1, 0, 0, READY])
    core.out8(BASE + 6, 0xa0)
    expect(registers()).toEqual([1, 0x14, 0xeb, 0])
    // What the host writes, both devices take
    core.out8(BASE + 3, 0x55)
    core.out8(BASE + 6, 0xb0)
    expect(core.in8(BASE + 3)).toBe(0x55)
    core.out8(STATUS, 0xa1)
    expect(reply()).toMatchObject({ error: 4, count: 0 })
    core.out8(BASE + 6, 0xa0)
    expect(core.in8(BASE + 1)).toBe(1)
  })

  test('IDENTIFY PACKET DEVICE', () => {
    core.out8(STATUS, 0xa1)
    core.skipToDeadline()
    expect(reply().status).toBe(READY | DRQ)
    const words = Array.from({ length: 256 }, () => core.in16(BASE))
    expect(words[0]).toBe(0x85c0)
    const name = words.slice(27, 47).flatMap((word) => [word >> 8, word & 0xff])
    expect(text(name).trim()).toBe('Ringside CD-ROM')
    expect(words[49]! & 0x0300).toBe(0x0300)
    expect(words[82]! & 0x0210).toBe(0x0210) // PACKET and DEVICE RESET
    expect(words.reduce((sum, word) => sum + (word & 0xff) + (word >> 8), 0) & 0xff).toBe(0)
    expect(core.in8(STATUS)).toBe(READY)
  })

  test('DEVICE RESET ends a command under way, without an interrupt', () => {
    core.out8(BASE + 5, 8)
    core.out8(STATUS, 0xa0)
    core.out8(STATUS, 0x08)
    expect([1, 2, 3, 4, 5, 7].map((offset) => core.in8(BASE + offset))).toEqual([1, 1, 1, 0x14, 0xeb, 0])
    expect(core.intr).toBe(false)
    expect(packet([0x00])).toMatchObject(ok)
  })
})

describe('reading', () => {
  test.each([
    [5120, 10],
    [5120, 7],
    [2048, 3],
    [0x8000, 32],
    [6000, 9],
  ])('a limit of %i, kept to by a host that does not look at the byte count: %i sectors', (limit, count) => {
    const { data, blocks } = packet(read10(2, count), limit)
    expect(data).toEqual(sectors(2, count))
    const size = count * 2048
    expect(blocks).toEqual(
      Array.from({ length: Math.ceil(size / limit) }, (_, i) => Math.min(limit, size - i * limit)),
    )
  })

  test('a medium that cannot be read ends a block in its middle', () => {
    core.out8(BASE + 6, 0xa0)
    core.out8(BASE + 1, 0)
    core.out8(BASE + 4, 0xfe)
    core.out8(BASE + 5, 0xff)
    core.out8(STATUS, 0xa0)
    for (const word of [0x28, 0, 0, 0, 8, 0]) core.out16(BASE, word)
    core.skipToDeadline()
    expect(reply()).toMatchObject({ status: READY | DRQ, count: 8 * 2048 })
    core.blockError = L.BLOCK_ERROR_MEDIUM
    for (let i = 0; i < 2048; i++) core.in16(BASE)
    expect(reply()).toMatchObject({ status: READY | ERR, error: 0x30 })
    core.blockError = L.BLOCK_ERROR_NONE
    expect(sense()).toEqual([3, 0x11, 0])
  })

  test('READ(10) and READ(12): as large a block as the limit allows', () => {
    const { data, blocks, ...rest } = packet(read10(3, 5))
    expect(data).toEqual(sectors(3, 5))
    expect(blocks).toEqual([10240])
    expect(rest).toMatchObject(ok)
    expect(packet([0xa8, 0, 0, 0, 0, 39, 0, 0, 0, 1]).data).toEqual(sectors(39, 1))
    expect(packet(read10(0, 0))).toMatchObject({ ...ok, data: [] })
  })

  test.each([2048, 2047, 512, 100, 2])('no block is longer than a limit of %i', (limit) => {
    const { data, blocks } = packet(read10(7, 2), limit)
    expect(data).toEqual(sectors(7, 2))
    expect(Math.max(...blocks)).toBe(limit & ~1)
  })

  test('a limit of 0 leaves no way for data', () => {
    expect(packet(read10(0, 1), 0)).toMatchObject({ status: READY | ERR, error: 4 })
    expect(packet([0x00], 0)).toMatchObject(ok)
  })

  test('behind the last sector: illegal request, logical block address out of range', () => {
    for (const command of [
      read10(SECTORS, 1),
      read10(SECTORS - 1, 2),
      [0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2],
    ]) {
      expect(packet(command)).toMatchObject({ status: READY | ERR, error: 0x54, reason: 3 })
      expect(sense()).toEqual([5, 0x21, 0])
    }
    expect(sense()).toEqual([0, 0, 0])
  })

  test('a host that cannot read: medium error', () => {
    core.blockError = L.BLOCK_ERROR_MEDIUM
    expect(packet(read10(0, 1))).toMatchObject({ status: READY | ERR, error: 0x30 })
    expect(sense()).toEqual([3, 0x11, 0])
  })

  test('READ CAPACITY', () => {
    expect(packet([0x25]).data).toEqual([0, 0, 0, SECTORS - 1, 0, 0, 8, 0])
  })

  test('READ CD: whole sectors as the disc has them', () => {
    const { data } = packet([0xbe, 0, 0, 0, 0, 5, 0, 0, 1, 0xf8])
    expect(data.length).toBe(2352)
    expect(data.slice(0, 16)).toEqual([0, ...Array(10).fill(0xff), 0, 0x00, 0x02, 0x05, 1])
    expect(data.slice(16, 2064)).toEqual(sectors(5, 1))
    const edc = (data[2064]! | (data[2065]! << 8) | (data[2066]! << 16) | (data[2067]! << 24)) >>> 0
    expect(edc).toBe(edcOf(data.slice(0, 2064)))
    // Every code word, with its parity, is a multiple of (x + 1)(x + a): both syndromes vanish
    expect(syndromes(data)).toEqual(0)
    expect(packet([0xbe, 0, 0, 0, 0, 5, 0, 0, 2, 0x10]).data).toEqual(sectors(5, 2))
    expect(packet([0xbe, 0, 0, 0, 0, 5, 0, 0, 1, 0x20]).data).toEqual([0x00, 0x02, 0x05, 1])
    expect(packet([0xb9, 0, 0, 0, 2, 5, 0, 2, 7, 0x10]).data).toEqual(sectors(5, 2))
    expect(packet([0xbe, 4, 0, 0, 0, 5, 0, 0, 1, 0x10])).toMatchObject({ error: 0x54 }) // audio, on a data track
    expect(sense()).toEqual([5, 0x64, 0])
  })
})

describe('the table of contents', () => {
  test('format 0: one data track and the lead-out', () => {
    const track = [0, 0x14, 1, 0, 0, 0, 0, 0]
    expect(packet([0x43, 0, 0, 0, 0, 0, 0, 0, 100]).data).toEqual([
      0,
      18,
      1,
      1,
      ...track,
      0,
      0x14,
      0xaa,
      0,
      0,
      0,
      0,
      SECTORS,
    ])
    const msf = packet([0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100]).data
    expect(msf).toEqual([0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 2, SECTORS])
    expect(packet([0x43, 0, 0, 0, 0, 0, 0, 0, 4]).data).toEqual([0, 18, 1, 1])
    expect(packet([0x43, 0, 0, 0, 0, 0, 2, 0, 100])).toMatchObject({ error: 0x54 })
    expect(sense()).toEqual([5, 0x24, 0])
  })

  test('format 1: sessions; format 2, asked for in both places: the raw table', () => {
    expect(packet([0x43, 0, 1, 0, 0, 0, 0, 0, 100]).data).toEqual([0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0])
    const full = packet([0x43, 0, 2, 0, 0, 0, 0, 0, 100]).data
    expect(full.length).toBe(4 + 4 * 11)
    expect([0, 1, 2, 3].map((i) => full[4 + i * 11 + 3])).toEqual([0xa0, 0xa1, 0xa2, 1])
    expect(full.slice(4 + 22 + 8, 4 + 33)).toEqual([0, 2, SECTORS])
    expect(packet([0x43, 0, 0, 0, 0, 0, 0, 0, 100, 0x80]).data).toEqual(full)
  })
})

describe('what the drive says about itself', () => {
  test('INQUIRY', () => {
    const { data } = packet([0x12, 0, 0, 0, 96])
    expect(data.slice(0, 8)).toEqual([5, 0x80, 0, 0x21, 31, 0, 0, 0])
    expect(text(data.slice(8))).toBe('RINGSIDECD-ROM          1.0 ')
    expect(packet([0x12, 0, 0, 0, 5]).data.length).toBe(5)
  })

  test('MODE SENSE, both lengths, and saved pages that are not there', () => {
    const ten = packet([0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 200]).data
    expect(ten.slice(0, 8)).toEqual([0, 26, 1, 0, 0, 0, 0, 0])
    expect([ten.length, ten[8], ten[9]]).toEqual([28, 0x2a, 18])
    const six = packet([0x1a, 0, 0x3f, 0, 200]).data
    expect([six[0], six[4], six[12], six[28]]).toEqual([six.length - 1, 0x01, 0x0e, 0x2a])
    packet([0x5a, 0, 0xea, 0, 0, 0, 0, 0, 200])
    expect(sense()).toEqual([5, 0x39, 0])
    packet([0x5a, 0, 0x05, 0, 0, 0, 0, 0, 200])
    expect(sense()).toEqual([5, 0x24, 0])
  })

  test('GET CONFIGURATION tells the profile of the disc', () => {
    const { data } = packet([0x46, 0, 0, 0, 0, 0, 0, 0, 255])
    expect(data.slice(6, 8)).toEqual([0, 8])
    expect(data[3]! + 4).toBe(data.length)
    expect(packet([0x46, 2, 0, 3, 0, 0, 0, 0, 255]).data.slice(8, 10)).toEqual([0, 3])
    core.eject(CD)
    expect(packet([0x46, 0, 0, 0, 0, 0, 0, 0, 8]).data.slice(6, 8)).toEqual([0, 0])
  })

  test('disc, track, mechanism, sub-channel, speed', () => {
    expect(packet([0x51, 0, 0, 0, 0, 0, 0, 0, 34]).data.slice(0, 7)).toEqual([0, 32, 0x0e, 1, 1, 1, 1])
    expect(packet([0x52, 1, 0, 0, 0, 1, 0, 0, 36]).data[27]).toBe(SECTORS)
    expect(packet([0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8]).data).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    expect(packet([0x42, 0, 0, 0, 0, 0, 0, 0, 4]).data).toEqual([0, 0x15, 0, 0])
    expect(packet([0xbb, 0, 0xff, 0xff, 0xff, 0xff])).toMatchObject(ok)
    packet([0x55])
    expect(sense()).toEqual([5, 0x20, 0])
  })
})

describe('media that come and go', () => {
  test('power-on is a unit attention, told once', () => {
    core.reset()
    core.initialisePic()
    expect(packet([0x12, 0, 0, 0, 5])).toMatchObject(ok) // INQUIRY neither tells nor clears it
    expect(packet([0x00])).toMatchObject({ status: READY | ERR, error: 0x60 })
    expect(sense()).toEqual([6, 0x29, 0])
    expect(packet([0x00])).toMatchObject(ok)
    core.reset()
    core.initialisePic()
    expect(sense()).toEqual([6, 0x29, 0]) // asked about, it is told as well
    expect(packet([0x00])).toMatchObject(ok)
  })

  test('an empty drive: medium not present, and which way the tray stands', () => {
    setUp()
    for (const command of [[0x00], [0x25], read10(0, 1), [0x43, 0, 0, 0, 0, 0, 0, 0, 12]]) {
      expect(packet(command)).toMatchObject({ status: READY | ERR, error: 0x20 })
      expect(sense()).toEqual([2, 0x3a, 1])
    }
    packet([0x1b, 0, 0, 0, 2])
    packet([0x00])
    expect(sense()).toEqual([2, 0x3a, 2])
  })

  test('a disc is put in: unit attention, a new size, a media event', () => {
    setUp()
    core.insert(CD, disc(9).subarray(0, 8 * 2048))
    expect(packet([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8])).toMatchObject({ data: [0, 6, 4, 0x10, 2, 2, 0, 0] })
    expect(packet([0x25])).toMatchObject({ error: 0x60 })
    expect(sense()).toEqual([6, 0x28, 0])
    expect(packet([0x25]).data[3]).toBe(7)
    expect(packet([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8]).data[4]).toBe(0) // told once
    expect(packet([0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8])).toMatchObject({ error: 0x54 }) // asynchronous
  })

  test('ejected in mid-read: the command ends with "medium not present"', () => {
    core.out8(BASE + 4, 0)
    core.out8(BASE + 5, 8)
    core.out8(STATUS, 0xa0)
    const command = Uint8Array.from([...read10(0, 4), 0, 0, 0])
    for (let i = 0; i < 12; i += 2) core.out16(BASE, command[i]! | (command[i + 1]! << 8))
    core.skipToDeadline()
    expect(reply()).toMatchObject({ status: READY | DRQ, count: 2048 })
    core.eject(CD)
    for (let i = 0; i < 1024; i++) core.in16(BASE)
    core.skipToDeadline() // what the buffer has left of the first two sectors
    expect(reply()).toMatchObject({ status: READY | DRQ, count: 2048 })
    for (let i = 0; i < 1024; i++) core.in16(BASE)
    core.skipToDeadline()
    expect(reply()).toMatchObject({ status: READY | ERR, error: 0x20 })
    expect(sense()).toEqual([2, 0x3a, 2])
  })

  test("changed in mid-read: unit attention, not the other disc's data", () => {
    core.out8(BASE + 4, 0)
    core.out8(BASE + 5, 8)
    core.out8(STATUS, 0xa0)
    const command = Uint8Array.from([...read10(0, 4), 0, 0, 0])
    for (let i = 0; i < 12; i += 2) core.out16(BASE, command[i]! | (command[i + 1]! << 8))
    core.insert(CD, disc(50))
    core.skipToDeadline()
    expect(reply()).toMatchObject({ status: READY | ERR, error: 0x60 })
    expect(sense()).toEqual([6, 0x28, 0])
    image = disc(50)
    expect(packet(read10(0, 1)).data).toEqual(sectors(0, 1))
  })

  test('START STOP UNIT opens and closes the tray; the disc is still in it', () => {
    expect(packet([0x1b, 0, 0, 0, 2])).toMatchObject(ok)
    expect(packet([0x00])).toMatchObject({ error: 0x20 })
    expect(sense()).toEqual([2, 0x3a, 2])
    expect(packet([0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8]).data[1]).toBe(0x10)
    packet([0x1b, 0, 0, 0, 3])
    packet([0x00])
    expect(sense()).toEqual([6, 0x28, 0])
    expect(packet(read10(1, 1)).data).toEqual(sectors(1, 1))
  })

  test('a locked drive keeps its disc and tells the guest of the button; a needle opens it all the same', () => {
    packet([0x1e, 0, 0, 0, 1])
    packet([0x1b, 0, 0, 0, 2])
    expect(sense()).toEqual([5, 0x53, 2])
    core.eject(CD)
    expect(packet([0x00])).toMatchObject(ok)
    expect(packet([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8]).data.slice(4, 6)).toEqual([1, 2])
    core.eject(CD, true)
    packet([0x00])
    expect(sense()).toEqual([2, 0x3a, 2])
  })

  test('input that names no such drive does nothing', () => {
    for (const data of [
      0xff,
      0x1ff,
      L.DRIVE_ATA0,
      7,
      CD | (9 << 8),
      CD | (2 << 8),
      CD | (2 << 8) | (0xffff << 16),
    ])
      core.deliver(L.INPUT_KIND_MEDIUM, data >>> 0)
    expect(packet([0x00])).toMatchObject(ok)
  })
})

test('packets of noise leave the drive alive', () => {
  let seed = 12345
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return (seed >> 8) % n
  }
  for (let i = 0; i < 3000; i++) {
    const bytes = Array.from({ length: 12 }, () => (random(3) ? random(256) : 0))
    if (bytes[0] === 0xa8 || bytes[0] === 0xbe || bytes[0] === 0x28) bytes[2] = bytes[3] = 0
    packet(bytes, random(2) ? 0xfffe : random(65536))
  }
  core.insert(CD, image)
  packet([0x00])
  expect(packet(read10(0, 1)).data).toEqual(sectors(0, 1))
})

/** EDC by long division, most significant bit last (ECMA-130, 14.3). */
function edcOf(bytes: number[]): number {
  let crc = 0
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const feedback = (crc ^ (byte >> bit)) & 1
      crc = (crc >>> 1) ^ (feedback ? 0xd8018001 : 0)
    }
  }
  return crc >>> 0
}

/** How many of the P and Q code words of a sector do not check (ECMA-130, annex A). */
function syndromes(sector: number[]): number {
  const power: number[] = [1]
  for (let i = 1; i < 255; i++) power[i] = ((power[i - 1]! << 1) ^ (power[i - 1]! & 0x80 ? 0x11d : 0)) & 0xff
  const times = (a: number, n: number) => (a === 0 ? 0 : power[(power.indexOf(a) + n) % 255]!)
  let wrong = 0
  for (let byte = 0; byte < 2; byte++) {
    const at = (word: number) => sector[12 + 2 * word + byte]!
    const check = (word: number[]) => {
      const s0 = word.reduce((sum, value) => sum ^ value, 0)
      const s1 = word.reduce((sum, value, i) => sum ^ times(value, word.length - 1 - i), 0)
      if (s0 || s1) wrong++
    }
    for (let p = 0; p < 43; p++) check(Array.from({ length: 26 }, (_, m) => at(43 * m + p)))
    for (let q = 0; q < 26; q++) {
      const word = Array.from({ length: 43 }, (_, m) => at((44 * m + 43 * q) % 1118))
      check([...word, at(1118 + q), at(1118 + 26 + q)])
    }
  }
  return wrong
}
