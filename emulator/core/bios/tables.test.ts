// The tables that POST leaves behind, read as a kernel does: by signature, address and length, with checksums that hold.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as L from '../layout'
import { FirmwareMachine } from '../testing/firmware'

const machine = new FirmwareMachine({ ram: 16 << 20, cpus: 3 }).boot()
const ROM_LOW = 0xe0000
const bytes = (phys: number, length: number) =>
  Buffer.from(
    phys >= ROM_LOW
      ? machine.u8.slice(L.ROM + phys - ROM_LOW, L.ROM + phys - ROM_LOW + length)
      : machine.bytes(phys, length),
  )
const area = bytes(0xe0000, 0x20000)
const sum = (data: Buffer) => data.reduce((total, byte) => total + byte, 0) & 0xff

/** Address of the structure with this anchor at a multiple of 16. */
function find(anchor: string, from = 0xe0000): number {
  for (let at = from - 0xe0000; at < area.length; at += 16)
    if (area.subarray(at, at + anchor.length).toString('latin1') === anchor) return 0xe0000 + at
  throw new Error(`no ${anchor}`)
}
const table = (at: number) => bytes(at, bytes(at + 4, 4).readUInt32LE())

describe('ACPI', () => {
  const root = bytes(find('RSD PTR '), 36)
  const xsdt = table(Number(root.readBigUInt64LE(24)))
  const tables = Array.from({ length: (xsdt.length - 36) / 8 }, (_, n) =>
    table(Number(xsdt.readBigUInt64LE(36 + n * 8))),
  )
  const named = (name: string) => tables.find((one) => one.subarray(0, 4).toString() === name)!
  const dsdt = table(Number(named('FACP').readBigUInt64LE(140)))

  test('RSDP, RSDT and XSDT list the same tables; every checksum holds', () => {
    expect([sum(root.subarray(0, 20)), sum(root)]).toEqual([0, 0])
    const rsdt = table(root.readUInt32LE(16))
    const short = Array.from({ length: (rsdt.length - 36) / 4 }, (_, n) => rsdt.readUInt32LE(36 + n * 4))
    expect(short).toEqual(tables.map((_, n) => Number(xsdt.readBigUInt64LE(36 + n * 8))))
    expect(tables.map((one) => one.subarray(0, 4).toString())).toEqual(['FACP', 'APIC', 'HPET', 'SSDT'])
    expect([rsdt, xsdt, dsdt, ...tables].map(sum)).toEqual(Array(tables.length + 3).fill(0))
  })
  test('FADT: ports, reset register, FACS in memory that can be written', () => {
    const fadt = named('FACP')
    expect(fadt.length).toBe(244)
    expect([fadt.readUInt16LE(46), fadt.readUInt32LE(48), fadt[52], fadt[53]]).toEqual([9, 0xb2, 0xf1, 0xf0])
    expect([56, 64, 76, 80].map((at) => fadt.readUInt32LE(at))).toEqual([0x600, 0x604, 0x608, 0x60c])
    expect(fadt.subarray(116, 129).toString('hex')).toBe('01080001f90c00000000000006')
    const facs = fadt.readUInt32LE(36)
    expect(facs % 64).toBe(0)
    expect(bytes(facs, 8).toString('hex')).toBe('4641435340000000')
    expect([fadt.readUInt32LE(36), fadt.readUInt32LE(40)]).toEqual([
      Number(fadt.readBigUInt64LE(132)),
      Number(fadt.readBigUInt64LE(140)),
    ])
  })
  test('MADT: every CPU, the I/O APIC, the overrides', () => {
    const madt = named('APIC')
    const entries: string[] = []
    for (let at = 44; at < madt.length; at += madt[at + 1]!)
      entries.push(madt.subarray(at, at + madt[at + 1]!).toString('hex'))
    expect(entries).toEqual([
      '0008000001000000',
      '0008010101000000',
      '0008020201000000',
      '010c00000000c0fe00000000',
      '020a0000020000000000',
      '020a0009090000000d00',
      '020a000a0a0000000d00',
      '020a000b0b0000000d00',
      '0406ff000001',
    ])
  })
  test('iasl takes every table apart and puts it together again, without a remark; tables of data byte for byte', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringside-acpi-'))
    const root = bytes(find('RSD PTR '), 36)
    const all: [string, Buffer][] = [
      ['dsdt', dsdt],
      ['rsdt', table(root.readUInt32LE(16))],
      ['xsdt', xsdt],
      ['facs', table(named('FACP').readUInt32LE(36))],
      ...tables.map((one): [string, Buffer] => [one.toString('latin1', 0, 4).toLowerCase(), one]),
    ]
    try {
      for (const [name, data] of all) {
        const file = join(folder, name)
        writeFileSync(`${file}.aml`, data)
        const apart = spawnSync('iasl', ['-d', `${file}.aml`], { encoding: 'utf8' })
        // acpica-tools is not on every machine; Linux's own interpreter is the other judge.
        if (apart.error) return
        expect(apart.stdout + apart.stderr).not.toMatch(/error|warning|invalid/i)
        if (name === 'dsdt') expect(readFileSync(`${file}.dsl`, 'latin1')).toContain('Name (_S5')
        if (name === 'ssdt') expect(readFileSync(`${file}.dsl`, 'latin1')).toContain('"ACPI0007"')
        const again = join(folder, `again-${name}`)
        const together = spawnSync('iasl', ['-p', again, `${file}.dsl`], { encoding: 'utf8' })
        expect(together.stdout + together.stderr).toMatch(/ 0 Errors, 0 Warnings, 0 Remarks/)
        if (name === 'dsdt' || name === 'ssdt') continue // iasl writes some AML shorter
        const made = readFileSync(`${again}.aml`)
        // The maker of a table is whoever compiled it; the FACS has neither maker nor checksum.
        if (name !== 'facs') for (const one of [made, data]) one.fill(0, 28, 36)[9] = 0
        expect([name, made.toString('hex')]).toEqual([name, data.toString('hex')])
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

test('MP table: every CPU, both buses, the I/O APIC, all interrupts', () => {
  const pointer = bytes(find('_MP_'), 16)
  expect(sum(pointer)).toBe(0)
  const at = pointer.readUInt32LE(4)
  const mp = bytes(at, bytes(at + 4, 2).readUInt16LE())
  expect([mp.subarray(0, 4).toString(), sum(mp), mp[6]]).toEqual(['PCMP', 0, 4])
  const seen = [0, 0, 0, 0, 0]
  let offset = 44
  while (offset < mp.length) {
    const kind = mp[offset]!
    seen[kind]!++
    offset += kind === 0 ? 20 : 8
  }
  expect(offset).toBe(mp.length)
  expect(seen).toEqual([3, 2, 1, 1 + 15 + 124, 2])
  expect(mp.readUInt16LE(34)).toBe(seen.reduce((total, count) => total + count))
  expect([mp[44 + 3], mp[64 + 3], mp[64 + 1]]).toEqual([3, 1, 1])
  // MP 1.4, 4.1-4.3: virtual wire, no IMCR, specification 1.4; identifiers of blanks and capitals; entries by type
  expect([pointer[8], pointer[9], pointer[11], pointer[12]]).toEqual([1, 4, 0, 0])
  expect(mp.toString('latin1', 8, 28)).toBe('RINGSIDEPC          ')
  expect([mp.readUInt32LE(28), mp.readUInt16LE(32), mp.readUInt32LE(40)]).toEqual([0, 0, 0])
  const buses = mp.subarray(44 + 60, 44 + 60 + 16)
  expect(buses.toString('latin1')).toBe('\x01\0PCI   \x01\x01ISA   ')
  const kinds: number[] = []
  for (let next = 44; next < mp.length; next += mp[next] === 0 ? 20 : 8) kinds.push(mp[next]!)
  expect(kinds).toEqual([...kinds].sort((a, b) => a - b))
})

test('SMBIOS: both entry points; structures end with type 127', () => {
  const short = bytes(find('_SM_', 0xf0000), 31)
  const long = bytes(find('_SM3_', 0xf0000), 24)
  expect([sum(short), sum(short.subarray(16)), sum(long)]).toEqual([0, 0, 0])
  const at = short.readUInt32LE(24)
  expect(Number(long.readBigUInt64LE(16))).toBe(at)
  const data = bytes(at, short.readUInt16LE(22))
  const types: number[] = []
  let offset = 0
  let largest = 0
  while (offset < data.length) {
    types.push(data[offset]!)
    // One package: cores, cores enabled, threads.
    if (data[offset] === 4) expect([...data.subarray(offset + 0x23, offset + 0x26)]).toEqual([3, 3, 3])
    const start = offset
    offset += data[offset + 1]!
    while (data[offset] || data[offset + 1]) offset++
    offset += 2
    largest = Math.max(largest, offset - start)
  }
  expect(offset).toBe(data.length)
  expect(types).toEqual([0, 1, 2, 3, 4, 7, 7, 16, 17, 19, 32, 127])
  expect([short.readUInt16LE(28), short.readUInt16LE(8)]).toEqual([types.length, largest])
})

test('dmidecode reads both entry points without a complaint', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-dmi-'))
  try {
    for (const [anchor, length, address, checksums] of [
      // Anchor; length; where the address stands; each checksum and what it is over
      [
        '_SM_',
        31,
        24,
        [
          [21, 16, 31],
          [4, 0, 31],
        ],
      ],
      ['_SM3_', 24, 16, [[5, 0, 24]]],
    ] as const) {
      const entry = bytes(find(anchor, 0xf0000), length)
      const at = entry.readUInt32LE(address)
      const size = anchor === '_SM_' ? entry.readUInt16LE(22) : entry.readUInt32LE(12)
      // A dump is the entry point, then the structures, at 20h of the file
      entry.writeUInt32LE(32, address)
      for (const [place, from, to] of checksums) {
        entry[place] = 0
        entry[place] = -sum(entry.subarray(from, to)) & 0xff
      }
      const file = join(folder, anchor)
      writeFileSync(file, Buffer.concat([entry, Buffer.alloc(32 - length), bytes(at, size)]))
      const { stdout, stderr, error } = spawnSync('dmidecode', ['--from-dump', file], { encoding: 'utf8' })
      if (error) return // not on every machine
      expect(stderr).toBe('')
      expect(stdout).toContain(anchor === '_SM_' ? 'SMBIOS 2.8 present' : 'SMBIOS 3.0.0 present')
      expect(stdout).toContain('End Of Table')
      expect(stdout).toContain('EDD is supported')
      expect(stdout).not.toMatch(/TRUNCATED|BAD INDEX|OUT OF SPEC|Invalid|[Bb]roken|Wrong|Unknown Type|<.*>/)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
