import { expect, test } from 'vitest'
import type { Medium } from '../media/medium'
import { placeDrives } from './drive-plan'

const media = (...names: string[]) => names.map((name) => ({ name }) as Medium)
const placed = (plan: Parameters<typeof placeDrives>[0]) =>
  placeDrives(plan).map(({ slot, kind, medium }) => `${slot} ${kind} ${medium?.name ?? '-'}`)

test('a disk, and an empty CD drive beside it', () => {
  expect(placed({ disks: media('a') })).toEqual(['hdc cdrom -', 'hda disk a'])
})

test('everything', () => {
  expect(placed({ disks: media('a', 'b'), cdroms: media('c', 'd'), floppies: media('e', 'f') })).toEqual([
    'fda floppy e',
    'fdb floppy f',
    'hdc cdrom c',
    'hdd cdrom d',
    'hda disk a',
    'hdb disk b',
  ])
  expect(placed({ disks: media('a', 'b', 'c') })).toEqual([
    'hdc cdrom -',
    'hda disk a',
    'hdb disk b',
    'hdd disk c',
  ])
  expect(placed({ disks: media('a', 'b', 'c', 'd') })).toEqual([
    'hda disk a',
    'hdb disk b',
    'hdc disk c',
    'hdd disk d',
  ])
})

test('more than there is room for', () => {
  expect(() => placed({ floppies: media('a', 'b', 'c') })).toThrow('two floppy drives, not 3')
  expect(() => placed({ disks: media('a', 'b', 'c'), cdroms: media('d', 'e') })).toThrow('5 disks and CDs')
})
