import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { crc32, readPartitions } from './partitions'

const MIB = 2 ** 20

/** An image that is zero but for the given sectors. */
function reader(sectors: Record<number, Uint8Array>) {
  return (position: number, length: number) => {
    const bytes = new Uint8Array(length)
    for (const [sector, content] of Object.entries(sectors)) {
      const at = Number(sector) * 512 - position
      if (at > -content.length && at < length) {
        bytes.set(content.subarray(Math.max(0, -at), length - at), Math.max(0, at))
      }
    }
    return bytes
  }
}

/** The last 66 bytes of a sector: partition table and signature. */
function table(hex: string): Uint8Array {
  const sector = new Uint8Array(512)
  sector.set(Buffer.from(hex, 'hex'), 446)
  return sector
}

describe('MBR, as sfdisk (util-linux 2.38) wrote it', () => {
  // label: dos; start=2048,size=8192,type=c,bootable; start=10240,size=20480,type=83; start=30720,size=40000,type=5;
  // start=32768,size=2048,type=83; start=40960,size=4096,type=82
  const sectors = {
    0: table(
      '802021000ca22200000800000020000000a2230083e82701002800000050000000e828010566220400780000409c00000000000000000000000000000000000055aa',
    ),
    30720: table(
      '000a0902832a28020008000000080000006b2a0205cd0b020020000000180000000000000000000000000000000000000000000000000000000000000000000055aa',
    ),
    38912: table(
      '008c0b0282cd0b02000800000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000055aa',
    ),
  }

  test('lists what sfdisk lists, logical partitions included', () => {
    const { partitions, warnings } = readPartitions(reader(sectors), 40 * MIB)
    expect(warnings).toEqual([])
    expect(
      partitions.map(({ number, start, sectors: size, type, active }) => [number, start, size, type, active]),
    ).toEqual([
      [1, 2048, 8192, 'FAT32 (LBA)', true],
      [2, 10240, 20480, 'Linux', false],
      [3, 30720, 40000, 'extended', false],
      [5, 32768, 2048, 'Linux', false],
      [6, 40960, 4096, 'Linux swap', false],
    ])
  })

  test('says so when the image is shorter than its partitions', () => {
    const { warnings } = readPartitions(reader(sectors), 10 * MIB)
    expect(warnings.join()).toContain('Partition 2 ends behind the end')
  })

  test('a chain of extended records that leads back to itself ends', () => {
    const looped = Uint8Array.from(sectors[38912])
    looped.set(sectors[30720].subarray(462, 478), 462)
    const { partitions } = readPartitions(reader({ ...sectors, 38912: looped }), 40 * MIB)
    expect(partitions.map(({ number }) => number)).toEqual([1, 2, 3, 5, 6])
  })
})

describe('GPT, as sgdisk 1.0.9 wrote it', () => {
  // sgdisk -n 1:2048:+8M -t 1:ef00 -c 1:"EFI System" -n 2:0:+1M -t 2:ef02 -c 2:"Grüße" -n 5:0:0 -t 5:8300 -c 5:root
  //   -A 5:set:2; the first 34 sectors of 40 MiB
  const head = brotliDecompressSync(
    Buffer.from(
      'G/9D4AcCGIfdACWigkJeA9P2nwBVyA1OzAPMPeDUAl9koYF9kW03uCpJbJzepiePBBXkm4ayiADw31EAIHzH3cP7oawmCBAHxI5lHgEIANBKoAMAPCsnXj//BOsmSrv5zQwVmz14WqAoCAA0AU3Ad7XYJ/PUyo1KTU40f9xXOPZl6cbhxvb2KubdusdDv+mhwOrwjvBrxAHgvycAAAC444E3WoRSTSllpJOP2Ss5S9s7rbCg7LbxJe/u4d36wGvV3MDIb/tL62jGawtXvADgfyAAAAB4UsIfnpPOiof2l3KtbSWeA9X22Q88699cvP2YdnPT7bngIu76vFhakiCWfdWrARAGAEoopJAyBA==',
      'base64',
    ),
  )

  test('lists what sgdisk lists', () => {
    const { partitions, warnings } = readPartitions(reader({ 0: head }), 40 * MIB)
    expect(warnings).toEqual([])
    expect(
      partitions.map(({ number, start, sectors, type, name, active }) => [
        number,
        start,
        sectors,
        type,
        name,
        active,
      ]),
    ).toEqual([
      [1, 2048, 16384, 'EFI system partition', 'EFI System', false],
      [2, 18432, 2048, 'BIOS boot partition', 'Grüße', false],
      [5, 20480, 61407, 'Linux file system', 'root', true],
    ])
  })

  test('a header with a bit flipped is noticed', () => {
    const damaged = Uint8Array.from(head)
    damaged[512 + 60]! ^= 1
    expect(readPartitions(reader({ 0: damaged }), 40 * MIB).warnings.join()).toContain('checksum')
  })

  test('a protective MBR alone is listed as what it is', () => {
    const { partitions, warnings } = readPartitions(reader({ 0: head.subarray(0, 512) }), 40 * MIB)
    expect(partitions.map(({ type }) => type)).toEqual(['GPT protective'])
    expect(warnings.join()).toContain('no GPT header')
  })
})

test('boot code where a table would be is no table', () => {
  const code = new Uint8Array(512).fill(0x90)
  code.set([0x55, 0xaa], 510)
  expect(readPartitions(reader({ 0: code }), MIB).partitions).toEqual([])
})

test('CRC-32 of the check value of every CRC catalogue', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
})
