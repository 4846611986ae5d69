import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkPreferences, defaultPreferences, readPreferences } from './preferences'

test('right ones pass unchanged, and nothing else comes along', () => {
  const chosen = {
    ...defaultPreferences(),
    ...({
      theme: 'light',
      textSize: 125,
      motion: 'reduced',
      sound: false,
      shell: 'never',
      lensBeside: false,
    } as const),
    machine: { memory: 512 * 2 ** 20, cpus: 4, cpu: 'v2,+avx', schedule: 'parallel' as const },
  }
  expect(checkPreferences(chosen)).toEqual(chosen)
  expect(
    checkPreferences({ ...chosen, evil: 1, machine: { ...chosen.machine, images: ['/etc/shadow'] } }),
  ).toEqual(chosen)
})

test('each wrong one is named', () => {
  const wrong = (change: object) => () => checkPreferences({ ...defaultPreferences(), ...change })
  expect(wrong({ theme: 'pink' })).toThrow('theme must be one of system, light, dark')
  expect(wrong({ textSize: 1000 })).toThrow('textSize must be one of')
  expect(wrong({ shell: 'yes' })).toThrow('shell must be one of ask, allow, never')
  expect(wrong({ symbolsBeside: 1 })).toThrow('symbolsBeside must be true or false')
  expect(wrong({ machine: { ...defaultPreferences().machine, cpus: 17 } })).toThrow(
    'cpus must be a whole number from 1 to 16',
  )
  expect(wrong({ machine: null })).toThrow('preferences.machine must be an object')
  expect(() => checkPreferences('all')).toThrow('preferences must be an object')
})

test('of a damaged file what is right is kept', () => {
  expect(readPreferences({ theme: 'dark', textSize: 'big', machine: 7 })).toEqual({
    ...defaultPreferences(),
    theme: 'dark',
  })
  fc.assert(
    fc.property(fc.anything(), (content) => {
      expect(checkPreferences(readPreferences(content))).toEqual(readPreferences(content))
    }),
  )
})
