import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { desktopEntry, withDefaults } from './associate.mjs'
import { root } from './paths.mjs'

/** @type {string} */
let home
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ringside-associate-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const has = (/** @type {string} */ command) => !spawnSync(command, ['--help'], { stdio: 'ignore' }).error

/** @param {string[]} args */
function associate(...args) {
  const { XDG_DATA_HOME, XDG_CONFIG_HOME, ...rest } = process.env
  return spawnSync(process.execPath, [join(root, 'tools/ringside.mjs'), 'associate', ...args], {
    encoding: 'utf8',
    env: { ...rest, HOME: home },
  })
}

test.runIf(process.platform === 'linux')('what is written can be read, and is taken back', () => {
  const list = join(home, '.config/mimeapps.list')
  mkdirSync(join(home, '.config'))
  const before =
    '[Default Applications]\ntext/html=firefox.desktop\napplication/x-cd-image=burner.desktop;\n\n[Added Associations]\ntext/plain=vi.desktop;\n'
  writeFileSync(list, before)
  expect(associate('--default')).toMatchObject({ status: 0, stdout: '' })
  const share = (/** @type {string} */ path) => join(home, '.local/share', path)
  const entry = readFileSync(share('applications/ringside.desktop'), 'utf8')
  expect(entry).toContain(`${join(root, 'tools/ringside.mjs')}" "open" %F\n`)
  if (has('desktop-file-validate'))
    expect(spawnSync('desktop-file-validate', [share('applications/ringside.desktop')]).status).toBe(0)
  expect(readFileSync(list, 'utf8')).toContain('application/x-cd-image=ringside.desktop;burner.desktop;\n')
  expect(existsSync(share('icons/hicolor/scalable/apps/ringside.svg'))).toBe(true)
  if (has('update-mime-database')) {
    // The database has our magic: what file managers will look for.
    const magic = readFileSync(share('mime/magic'), 'latin1')
    expect(magic).toMatch(/\[60:application\/vnd\.ringside\.kernel\]\n/)
    expect(magic).toContain('>514=\0\x04HdrS\n')
    expect(readFileSync(share('mime/types'), 'utf8')).toContain('application/vnd.ringside.boot-sector')
  }
  // Again is the same, and what it was before comes back.
  const once = readFileSync(list, 'utf8')
  expect(associate('--default').status).toBe(0)
  expect(readFileSync(list, 'utf8')).toBe(once)
  expect(associate('--remove').status).toBe(0)
  expect(readFileSync(list, 'utf8')).toBe(before)
  for (const path of ['applications/ringside.desktop', 'mime/packages/ringside.xml'])
    expect(existsSync(share(path))).toBe(false)
})

test('mimeapps.list comes and goes', () => {
  const added = withDefaults('', true)
  expect(added).toMatch(/^\[Default Applications\]\n.*=ringside\.desktop;\n/)
  expect(withDefaults(added, true)).toBe(added)
  expect(withDefaults(added, false)).toBe('')
  const other = '[Added Associations]\na/b=c.desktop;\n'
  expect(withDefaults(withDefaults(other, true), false)).toBe(other)
  expect(withDefaults(other, false)).toBe(other)
})

test('paths with what is special in Exec', () => {
  const exec = /^Exec=(.*)$/m.exec(desktopEntry('/opt/a b/node', '/home/$me/50%/"x"\\'))?.[1]
  expect(exec).toBe('"/opt/a b/node" "/home/\\\\$me/50%%/\\\\"x\\\\"\\\\\\\\/tools/ringside.mjs" "open" %F')
})

test('wrong lines and other systems are refused', async () => {
  const { associate: run } = await import('./associate.mjs')
  expect(associate('--all').status).toBe(2)
  expect(associate('--help').stdout).toContain('usage: ringside associate')
  expect(run([], { HOME: home }, 'darwin')).toBe(2)
  expect(run([], { HOME: home }, 'win32')).toBe(2)
  expect(existsSync(join(home, '.local'))).toBe(false)
})
