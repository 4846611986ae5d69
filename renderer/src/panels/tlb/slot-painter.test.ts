import { expect, test } from 'vitest'
import { COLUMNS, paintSlots } from './slot-painter'

test('a cell a slot, in rows, with a line between large ones', () => {
  const slots = new Uint8Array(2 * COLUMNS)
  slots[1] = 2
  slots[COLUMNS] = 5
  const colours = Uint32Array.of(10, 11, 12, 13, 14, 15)
  const small = paintSlots(slots, colours, 1)
  expect(small).toHaveLength(2 * COLUMNS)
  expect([small[0], small[1], small[2], small[COLUMNS]]).toEqual([10, 12, 10, 15])
  const large = paintSlots(slots, colours, 4)
  const at = (x: number, y: number) => large[y * COLUMNS * 4 + x]
  expect([at(4, 0), at(6, 2), at(7, 0), at(4, 3), at(0, 4), at(3, 4)]).toEqual([12, 12, 10, 10, 15, 10])
})
