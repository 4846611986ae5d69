// INT 15h/C2h and IRQ 12: packets arrive at a program's handler.
import { beforeEach, expect, test } from 'vitest'
import { INPUT_KIND_MOUSE } from '../layout'
import { FirmwareMachine } from '../testing/firmware'

let machine: FirmwareMachine
beforeEach(() => {
  machine = new FirmwareMachine().boot()
})
const c2 = (al: number, rest = {}) => machine.call(0x15, { ax: 0xc200 | al, ...rest })

test('reset, type, rate, resolution, scaling, status', () => {
  expect(machine.call(0x11).ax & 4).toBe(4)
  expect(c2(5, { bx: 0x0300 })).toMatchObject({ ah: 0, cf: false })
  expect(c2(1)).toMatchObject({ ah: 0, cf: false, bx: 0x00aa })
  expect(c2(4).bx >> 8).toBe(0)
  expect(c2(2, { bx: 0x0600 })).toMatchObject({ ah: 0, cf: false })
  expect(c2(3, { bx: 0x0300 })).toMatchObject({ ah: 0, cf: false })
  expect(c2(6, { bx: 0x0200 })).toMatchObject({ ah: 0, cf: false })
  expect(c2(6, { bx: 0 })).toMatchObject({ cf: false, bx: 0x0010, cx: 3, dx: 200 })
})

test('what is wrong is said', () => {
  expect(c2(0, { bx: 0x0100 })).toMatchObject({ ah: 5, cf: true }) // no handler
  expect(c2(0, { bx: 0x0200 })).toMatchObject({ ah: 2, cf: true })
  expect(c2(2, { bx: 0x0700 })).toMatchObject({ ah: 2, cf: true })
  expect(c2(5, { bx: 0x0900 })).toMatchObject({ ah: 2, cf: true })
  expect(c2(9)).toMatchObject({ ah: 1, cf: true })
})

test('a handler is called with status, X, Y and Z for each packet', () => {
  // At 0000:6000: copies its four words to 0000:0600, counts at 0000:0610, RETF.
  machine.write(0x6000, [
    ...[0x55, 0x89, 0xe5, 0x1e, 0x50, 0x31, 0xc0, 0x8e, 0xd8], // push bp; mov bp,sp; push ds; push ax; xor ax,ax; mov ds,ax
    ...[0x8b, 0x46, 0x0c, 0xa3, 0x00, 0x06], // mov ax,[bp+12] status
    ...[0x8b, 0x46, 0x0a, 0xa3, 0x02, 0x06],
    ...[0x8b, 0x46, 0x08, 0xa3, 0x04, 0x06],
    ...[0x8b, 0x46, 0x06, 0xa3, 0x06, 0x06],
    ...[0xff, 0x06, 0x10, 0x06, 0x58, 0x1f, 0x5d, 0xcb],
  ])
  c2(5, { bx: 0x0300 })
  expect(c2(7, { es: 0, bx: 0x6000 })).toMatchObject({ ah: 0, cf: false })
  expect(c2(0, { bx: 0x0100 })).toMatchObject({ ah: 0, cf: false })
  machine.queueInput(INPUT_KIND_MOUSE, (25 & 0x3ff) | ((-7 & 0x3ff) << 10) | (1 << 24))
  machine.run(20_000_000)
  expect([0, 2, 4, 6].map((at) => machine.read16(0x600 + at))).toEqual([0x09, 25, 7, 0])
  expect(machine.read16(0x610)).toBe(1)
  machine.queueInput(INPUT_KIND_MOUSE, (-1 & 0x3ff) | (0 << 10))
  machine.run(20_000_000)
  expect([0, 2, 4, 6].map((at) => machine.read16(0x600 + at))).toEqual([0x18, 0xff, 0, 0])
  expect(machine.read16(0x610)).toBe(2)
  // Off again: nothing comes.
  c2(0, { bx: 0 })
  machine.queueInput(INPUT_KIND_MOUSE, 5)
  machine.run(20_000_000)
  expect(machine.read16(0x610)).toBe(2)
})
