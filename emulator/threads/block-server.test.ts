import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as L from '../core/layout'
import { createMemory, type MachineMemory } from '../machine/memory'
import { BlockServer } from './block-server'

const SECTORS = 40
const BUFFER = L.BLOCK_BUFFERS + L.DRIVE_ATA0 * L.BLOCK_BUFFER_SIZE

let folder: string
let path: string
let descriptor: number
let memory: MachineMemory
let server: BlockServer
let reports: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
  path = join(folder, 'disk.img')
  // Half a sector more than SECTORS - 1: the last one is incomplete.
  writeFileSync(
    path,
    Uint8Array.from({ length: SECTORS * 512 - 256 }, (_, i) => (i >> 9) + 1),
  )
  descriptor = openSync(path, 'r')
  memory = createMemory(2 ** 20, 1)
  reports = []
  const size = SECTORS * 512 - 256
  server = new BlockServer(memory.wasm, [{ id: 1, descriptor, size, sectors: SECTORS }], (_index, text) => {
    reports.push(text)
  })
})
afterEach(() => {
  server.close()
  closeSync(descriptor)
  rmSync(folder, { recursive: true, force: true })
})

/** What the core does in blockTransfer. @returns BLOCK_ERROR_* */
function transfer(
  op: number,
  lba: number,
  count: number,
  drive: number = L.DRIVE_ATA0,
  address = BUFFER,
): number {
  const at = L.BLOCK_REQUESTS + drive * L.BLOCK_SLOT_SIZE
  const { view } = memory
  view.setUint32(at + L.BLOCK_OP, op, true)
  view.setUint32(at + L.BLOCK_DRIVE, drive, true)
  view.setUint32(at + L.BLOCK_COUNT, count, true)
  view.setUint32(at + L.BLOCK_MEDIUM, drive === L.DRIVE_ATA0 ? 1 : 2, true)
  view.setBigUint64(at + L.BLOCK_LBA, BigInt(lba), true)
  view.setUint32(at + L.BLOCK_ADDRESS, address, true)
  view.setUint32(at + L.BLOCK_STATE, L.BLOCK_SUBMITTED, true)
  expect(server.serve()).toBe(1)
  expect(view.getUint32(at + L.BLOCK_STATE, true)).toBe(L.BLOCK_DONE)
  view.setUint32(at + L.BLOCK_STATE, L.BLOCK_IDLE, true)
  return view.getUint32(at + L.BLOCK_ERROR, true)
}

const data = (sector: number) => memory.u8.slice(BUFFER + sector * 512, BUFFER + sector * 512 + 512)

test('reads sectors into the memory, zeros behind the end of the file', () => {
  expect(transfer(L.BLOCK_READ, 0, 40)).toBe(L.BLOCK_ERROR_NONE)
  expect(data(0)).toEqual(new Uint8Array(512).fill(1))
  expect(data(38)).toEqual(new Uint8Array(512).fill(39))
  expect(data(39)).toEqual(new Uint8Array(512).fill(40, 0, 256))
})

test('a write is read back and never reaches the file', () => {
  const before = readFileSync(path)
  memory.u8.fill(0xee, BUFFER, BUFFER + 512)
  expect(transfer(L.BLOCK_WRITE, 5, 1)).toBe(L.BLOCK_ERROR_NONE)
  expect(transfer(L.BLOCK_FLUSH, 0, 0)).toBe(L.BLOCK_ERROR_NONE)
  expect(transfer(L.BLOCK_READ, 4, 3)).toBe(L.BLOCK_ERROR_NONE)
  expect([data(0)[0], data(1)[0], data(2)[0]]).toEqual([5, 0xee, 7])
  expect(readFileSync(path)).toEqual(before)
})

test('sectors that are not there, drives that are not there', () => {
  expect(transfer(L.BLOCK_READ, 40, 1)).toBe(L.BLOCK_ERROR_RANGE)
  expect(transfer(L.BLOCK_READ, 39, 2)).toBe(L.BLOCK_ERROR_RANGE)
  expect(transfer(L.BLOCK_READ, Number.MAX_SAFE_INTEGER, 1)).toBe(L.BLOCK_ERROR_RANGE)
  expect(transfer(L.BLOCK_READ, 0, 1, L.DRIVE_FLOPPY_A)).toBe(L.BLOCK_ERROR_ABSENT)
  expect(transfer(L.BLOCK_READ, 0, 1, L.DRIVE_ATA0, memory.u8.length - 100)).toBe(L.BLOCK_ERROR_RANGE)
  expect(transfer(99, 0, 1)).toBe(L.BLOCK_ERROR_RANGE)
})

test('a file that is deleted while it is open is still there for the guest', () => {
  unlinkSync(path)
  expect(transfer(L.BLOCK_READ, 7, 1)).toBe(L.BLOCK_ERROR_NONE)
  expect(data(0)[0]).toBe(8)
})

test('a file that shrinks gives a medium error and a sentence about it', () => {
  const writable = openSync(path, 'r+')
  ftruncateSync(writable, 1024)
  closeSync(writable)
  expect(transfer(L.BLOCK_READ, 0, 2)).toBe(L.BLOCK_ERROR_NONE)
  expect(transfer(L.BLOCK_READ, 2, 1)).toBe(L.BLOCK_ERROR_MEDIUM)
  expect(reports).toEqual([
    'reading 1 sectors at 2 failed: the file now ends at byte 1024; it had 20224 when it was opened',
  ])
  // The machine lives on, and what was read before still can be.
  expect(transfer(L.BLOCK_READ, 1, 1)).toBe(L.BLOCK_ERROR_NONE)
})

test('a medium that comes in later is heard of when it is asked for, and one that is forgotten is gone', () => {
  const late = new BlockServer(memory.wasm, [], () => {}, {
    news: () => late.add({ id: 1, descriptor, size: 512, sectors: 1 }),
  })
  server.close()
  server = late
  expect(transfer(L.BLOCK_READ, 0, 1)).toBe(L.BLOCK_ERROR_NONE)
  expect(data(0)[0]).toBe(1)
  expect(transfer(L.BLOCK_READ, 0, 1, L.DRIVE_FLOPPY_A)).toBe(L.BLOCK_ERROR_ABSENT)
  const none = new BlockServer(memory.wasm, [{ id: 1, descriptor, size: 512, sectors: 1 }], () => {})
  none.remove(1)
  server = none
  expect(transfer(L.BLOCK_READ, 0, 1)).toBe(L.BLOCK_ERROR_ABSENT)
})
