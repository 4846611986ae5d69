import { expect, test } from 'vitest'
import type { MachineSettings } from '../../../preload/bridge'
import { fromForm, problemOf, toForm } from './form'

const settings: MachineSettings = {
  cpus: 4,
  memory: 512 << 20,
  cpu: 'v2,+avx,-pcid',
  schedule: 'parallel',
  seed: '18446744073709551615',
  boot: ['cdrom', 'floppy', 'disk'],
  images: [{ kind: 'cdrom', path: '/a.iso' }],
  initrd: ['/initrd'],
  append: 'quiet',
}

test('settings come back from the form as they went in', () => {
  expect(fromForm(toForm(settings))).toEqual(settings)
  expect(problemOf(toForm(settings))).toBeUndefined()
  expect(fromForm(toForm({ ...settings, cpu: 'v3', boot: [] }))).toMatchObject({ cpu: 'v3', boot: [] })
})

test('what cannot be is said', () => {
  const wrong = (change: object) => problemOf({ ...toForm(settings), ...change })
  expect(wrong({ cpus: 17 })).toContain('1 to 16 CPUs')
  expect(wrong({ cpus: '' })).toContain('CPUs')
  expect(wrong({ memory: 4096 })).toContain('3072 MiB')
  expect(wrong({ seed: '18446744073709551616' })).toContain('64 bits')
  expect(wrong({ seed: '-1' })).toContain('seed')
  expect(wrong({ features: 'avx' })).toContain('+avx')
})
