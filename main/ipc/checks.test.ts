import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filesOf } from '../command-line'
import { failureOf, sentence } from '../documents/failures'
import { checkRecent, describeRecent, RECENT_MAX, withRecent } from '../documents/recent-files'
import { APP_ORIGIN, contentSecurityPolicy, fileOf } from '../window/app-protocol'
import { checkProfile, placeWindow } from '../window/window-state'
import { MediumError } from '@emulator/media/medium'
import { ARGUMENTS, checkCall } from './checks'

test('right calls pass unchanged', () => {
  expect(checkCall('machine', ['stepOver'])).toEqual({ name: 'machine', args: ['stepOver'] })
  const interest = {
    screen: true,
    serial: 2,
    shell: false,
    cpu: true,
    details: false,
    chosen: 15,
    memory: false,
    code: { lines: 20, before: 5, at: '7c00' },
    tlb: 3,
    allocator: 'order',
    shootdowns: true,
    interrupts: { ways: [1, 2 ** 40] },
    cpus: true,
    events: { classes: 0x10001, rows: 50, at: 7, cpu: 1, from: 0.5 },
    pages: { at: 'ffff800000000000', changes: [{ level: 1, bits: '2' }] },
    hex: { space: 'physical', at: '7c00', rows: 32, overlay: { type: 'struct task', base: '7c00' } },
  }
  expect(checkCall('interest', [interest]).args).toEqual([interest])
  expect(checkCall('interest', [{ ...interest, code: false, extra: 1 }]).args).toEqual([
    { ...interest, code: false },
  ])
})

test('settings of a machine are held to their form', () => {
  const settings = {
    cpus: 16,
    memory: 3072 * 2 ** 20,
    cpu: 'v2,+avx',
    schedule: 'parallel',
    seed: '18446744073709551615',
    boot: ['cdrom', 'disk'],
    images: [{ kind: 'cdrom', path: '/a.iso' }],
    initrd: ['/initrd'],
    append: 'quiet',
  }
  expect(checkCall('settings.save', [settings]).args).toEqual([settings])
  const wrong = (change: object) => () => checkCall('settings.save', [{ ...settings, ...change }])
  expect(wrong({ cpus: 17 })).toThrow(/cpus must be a whole number from 1 to 16/)
  expect(wrong({ memory: 2 ** 20 + 1 })).toThrow(/64 KiB/)
  expect(wrong({ cpu: 'v9' })).toThrow(/v9/)
  expect(wrong({ seed: '18446744073709551616' })).toThrow(/64 bits/)
  expect(wrong({ boot: ['tape'] })).toThrow(/one of floppy, disk, cdrom/)
  expect(wrong({ images: [{ kind: 'disk', path: 'a\0' }] })).toThrow(/a path/)
  expect(wrong({ append: 7 })).toThrow(/append/)
})

test('whatever a page sends, a wrong call is refused with a TypeError or RangeError', () => {
  const names = fc.oneof(fc.constantFrom(...Object.keys(ARGUMENTS)), fc.string(), fc.anything())
  fc.assert(
    fc.property(names, fc.oneof(fc.array(fc.anything()), fc.anything()), (name, args) => {
      try {
        const call = checkCall(name, args)
        expect(Object.hasOwn(ARGUMENTS, call.name)).toBe(true)
      } catch (error) {
        expect(error instanceof TypeError || error instanceof RangeError).toBe(true)
      }
    }),
    { numRuns: 2000 },
  )
  expect(() => checkCall('interest', [{ screen: 1 }])).toThrow(
    /interest.screen must be true or false, not number/,
  )
  const pages = (value: unknown) => () =>
    checkCall('interest', [
      {
        screen: true,
        serial: false,
        shell: true,
        cpu: true,
        details: false,
        chosen: 0,
        memory: true,
        code: false,
        tlb: false,
        allocator: false,
        events: false,
        shootdowns: false,
        interrupts: false,
        cpus: false,
        pages: value,
        hex: value,
      },
    ])
  expect(pages({ changes: Array(6).fill({ level: 1, bits: '1' }) })).toThrow(/more than 5 levels/)
  expect(pages({ at: 'xyz', changes: [] })).toThrow(/interest.pages.at must be hexadecimal digits/)
  expect(pages({ changes: [{ level: 9, bits: '1' }] })).toThrow(/must be 1 to 5/)
  expect(() => checkCall('memory.frame', [1.5])).toThrow(/whole number/)
  expect(() => checkCall('toString', [])).toThrow(/no such call/)
})

test('the protocol serves files of the folder and nothing else', () => {
  const folder = '/app/out/renderer'
  expect(fileOf(`${APP_ORIGIN}/index.html`, folder)).toBe('/app/out/renderer/index.html')
  expect(fileOf(`${APP_ORIGIN}/assets/a.js?v=1`, folder)).toBe('/app/out/renderer/assets/a.js')
  const bad = ['/', '/..%2f..%2fetc/passwd.html', '/a%00.html', '/x%5c..%5cy.html', '/data.exe']
  for (const path of bad) expect(fileOf(`${APP_ORIGIN}${path}`, folder)).toBeUndefined()
  expect(fileOf('app://elsewhere/index.html', folder)).toBeUndefined()
  expect(fileOf('file:///app/out/renderer/index.html', folder)).toBeUndefined()
  fc.assert(
    fc.property(fc.webPath(), (path) => {
      const file = fileOf(`${APP_ORIGIN}${path}`, folder)
      expect(file === undefined || file.startsWith(`${folder}/`)).toBe(true)
    }),
  )
  expect(contentSecurityPolicy('N')).toMatch(/script-src 'self';/)
  expect(contentSecurityPolicy('N')).not.toMatch(/unsafe-eval|https?:|\*/)
})

test('files on the command line are told from flags and from the application itself', () => {
  const argv = [
    '/e/electron',
    '--no-sandbox',
    '--user-data-dir=/tmp/x',
    '/app',
    'a.img',
    '-r',
    'x.js',
    '/b.img',
  ]
  expect(filesOf(argv, '/home', '/app')).toEqual(['/home/a.img', '/b.img'])
  expect(filesOf(['ringside', 'app', '--', '-odd.img'], '/', undefined)).toEqual(['/app', '/-odd.img'])
})

test('recent files: newest first, once each, so many and no more', () => {
  let entries = checkRecent('nonsense')
  for (let i = 0; i < 20; i++) entries = withRecent(entries, `/images/${i % 15}.img`, i)
  expect(entries).toHaveLength(RECENT_MAX)
  expect(entries[0]).toEqual({ path: '/images/4.img', opened: 19 })
  expect(new Set(entries.map(({ path }) => path)).size).toBe(RECENT_MAX)
  expect(checkRecent([{ path: 7 }, { path: '/a', opened: 1, more: 2 }])).toEqual([{ path: '/a', opened: 1 }])
  expect(describeRecent([{ path: '/home/me/os/disk.img', opened: 1 }], '/home/me')[0]).toMatchObject({
    name: 'disk.img',
    folder: '~/os',
    missing: true,
  })
})

test('windows come back where they were, and never where nobody can reach them', () => {
  const screens = [{ x: 0, y: 0, width: 1600, height: 1000 }]
  const last = { x: 100, y: 50, width: 1200, height: 800 }
  expect(placeWindow(last, screens, 0)).toEqual(last)
  expect(placeWindow(last, screens, 1)).toMatchObject({ x: 128, y: 78 })
  expect(placeWindow({ ...last, x: 5000 }, screens, 0)).toEqual({ width: 1200, height: 800 })
  expect(placeWindow({ ...last, width: 9000 }, screens, 0).width).toBe(1600)
  expect(checkProfile({ theme: 'pink', windows: { machine: { bounds: { x: 'a' }, layout: 5 } } })).toEqual({
    windows: { machine: { maximized: false, layout: '' } },
  })
})

test('failures say what, where and what to do', () => {
  const failure = failureOf('/x/empty.img', new MediumError('empty', '/x/empty.img', 'the file is empty'))
  expect(failure.what).toBe('The file is empty.')
  expect(failure.where).toBe('/x/empty.img')
  expect(failure.remedy.length).toBeGreaterThan(20)
  expect(sentence('is a directory, not an image')).toBe('It is a directory, not an image.')
  expect(failureOf('/x', new Error('boom')).what).toContain('boom')
})
