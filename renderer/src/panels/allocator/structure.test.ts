import { expect, test } from 'vitest'
import { isUsed, wordRuns } from './bitmap-words'
import { BuddyTree, TreeAxis } from './buddy-tree'

test('words that are alike make one row, and free bits are counted by what a set one means', () => {
  const bytes = new Uint8Array(40).fill(0xff)
  bytes[16] = 0xf0
  expect(wordRuns(bytes, 320, 1, 10)).toEqual({
    rows: [
      { word: 0, words: 2, value: 0xffff_ffff_ffff_ffffn, free: 0 },
      { word: 2, words: 1, value: 0xffff_ffff_ffff_fff0n, free: 4 },
      { word: 3, words: 2, value: 0xffff_ffff_ffff_ffffn, free: 0 },
    ],
    more: 0,
  })
  expect(wordRuns(bytes, 320, 0, 1)).toMatchObject({ rows: [{ words: 2, free: 128 }], more: 2 })
  expect([isUsed(bytes, 128, 1), isUsed(bytes, 132, 1), isUsed(bytes, 128, 0)]).toEqual([false, true, true])
})

test('a block is free, split or used, and its buddy differs in one bit', () => {
  // 16 frames: a free block of order 2 at 4, one of order 0 at 9.
  const tree = new BuddyTree(16, 5, Uint32Array.from([4, 9]), Uint8Array.from([2, 0]))
  expect(tree.state(4, 0)).toBe('split')
  expect(tree.state(3, 0)).toBe('split')
  expect(tree.state(2, 0)).toBe('used')
  expect(tree.state(1, 0)).toBe('inside')
  expect(tree.state(2, 4)).toBe('free')
  expect(tree.state(0, 5)).toBe('inside')
  expect(tree.state(0, 9)).toBe('free')
  expect(tree.state(0, 8)).toBe('used')
  expect(tree.state(1, 8)).toBe('split')
  expect(tree.state(2, 12)).toBe('used')
  expect(tree.leafAt(6)).toEqual({ order: 2, frame: 4, state: 'free' })
  expect(tree.leafAt(14)).toEqual({ order: 2, frame: 12, state: 'used' })
  expect(tree.words(tree.leafAt(9), String)).toBe('order 0 at 9: free; its buddy at 8 is used')
  expect(tree.lists().map((list) => list.length)).toEqual([1, 0, 1, 0, 0])
  expect(tree.free(0, 16)).toBe(5)
})

test('what is small has room too, and places and frames are each other’s inverse', () => {
  const tree = new BuddyTree(40, 4, Uint32Array.from([0, 8, 16, 26]), Uint8Array.from([3, 3, 3, 0]))
  const axis = new TreeAxis(tree)
  // The block at 24 is used 24-25, free 26, used 27, used 28-31: four parts.
  expect([0, 8, 16, 24, 26, 27, 28, 32, 40].map((frame) => axis.at(frame))).toEqual([
    0, 1, 2, 3, 7, 11, 15, 19, 20,
  ])
  for (let frame = 0; frame < 40; frame++) expect(axis.frame(axis.at(frame) + 1e-9)).toBe(frame)
  expect(axis.length).toBe(20)
})
