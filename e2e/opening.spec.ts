// Ways to a document, and what the window says when there is none at the end.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { electronExecutable } from '../tools/electron-runtime.mjs'
import { root } from '../tools/paths.mjs'
import { expect, seed, serialLines, test } from './application'

let folder: string
test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringside-images-'))
})
test.afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const BAD = [
  { name: 'nothing.img', make: async () => {}, what: /no such file/ },
  { name: 'empty.img', make: (path: string) => writeFile(path, ''), what: /empty/ },
  {
    name: 'notes.txt',
    make: (path: string) => writeFile(path, 'These are notes, not an image.\n'.repeat(40)),
    what: /text file/,
  },
  {
    name: 'photo.png',
    make: (path: string) => writeFile(path, '\x89PNG\r\n\x1a\n0000', 'latin1'),
    what: /PNG/,
  },
]

for (const { name, make, what } of BAD) {
  test(`${name} fails with an explanation, and the window goes on`, async ({ start }) => {
    const path = join(folder, name)
    await make(path)
    const { page } = await start({ files: [path] })
    await expect(page.getByTestId('failed-what')).toHaveText(what)
    await expect(page.getByTestId('failed-where')).toHaveText(path)
    await expect(page.getByTestId('failed-remedy')).toHaveText(/\w{3,}/)
    // The same file, made good, opens from here.
    await copyFile(seed('p3.img'), path)
    await page.getByTestId('retry').click()
    await expect.poll(() => serialLines(page)).toContain('Stage2: OK')
  })
}

test('a folder fails with an explanation', async ({ start }) => {
  const { page } = await start({ files: [folder] })
  await expect(page.getByTestId('failed-what')).toHaveText('It is a directory, not an image.')
})

test('an image of three bytes, one without a signature and one of 8 TiB open or say why not', async ({
  start,
}) => {
  const tiny = join(folder, 'tiny.img')
  await writeFile(tiny, new Uint8Array([0xeb, 0xfe, 0x90]))
  const huge = join(folder, 'huge.img')
  await copyFile(seed('p3.img'), huge)
  await chmod(huge, 0o644)
  await truncate(huge, 8 * 2 ** 40)
  const { page } = await start({ files: [tiny] })
  await expect(page.locator('[data-document=open], [data-document=failed]')).toBeVisible()
  const second = await start({ files: [huge] })
  await expect(second.page.locator('[data-document=open], [data-document=failed]')).toBeVisible()
})

test('a file that is removed while the machine runs does not disturb it', async ({ start }) => {
  const path = join(folder, 'p3.img')
  await copyFile(seed('p3.img'), path)
  const { page } = await start({ files: [path] })
  await expect.poll(() => serialLines(page)).toContain('Stage2: OK')
  await rm(path)
  await page.getByTestId('reset').click()
  await expect.poll(() => serialLines(page)).toContain('Stage2: OK')
})

test('opened files are remembered, newest first, and can be opened again', async ({ start }) => {
  const first = await start({ files: [seed('p3.img')] })
  await expect(first.page.getByTestId('state')).toContainText('running')
  await first.app.close()
  const second = await start({ files: [seed('p4.img')], profile: first.profile })
  await expect(second.page.getByTestId('state')).toContainText('running')
  await second.app.close()
  const third = await start({ profile: first.profile })
  const recent = third.page.getByTestId('recent').locator('b')
  await expect(recent).toHaveText(['p4.img', 'p3.img'])
  await recent.last().click()
  await expect(third.page.getByTestId('name')).toHaveText('p3.img')
  const menu = () =>
    third.app.evaluate(({ Menu }) => {
      const file = Menu.getApplicationMenu()?.items.find(({ label }) => label.includes('File'))
      const open = file?.submenu?.items.find(({ label }) => label === 'Open Recent')
      return open?.submenu?.items.map(({ label }) => label.split('  ')[0]).slice(0, 2)
    })
  await expect.poll(menu).toEqual(['p3.img', 'p4.img'])
})

test('a dropped file opens: the page passes its path on', async ({ start }) => {
  const { page } = await start()
  await expect(page.getByTestId('welcome')).toBeVisible()
  // Playwright cannot drop a file with a path; what the drop handler does with the path is this call.
  await page.evaluate((path) => window.ringside.call('document.open', path), seed('p3.img'))
  await expect(page.getByTestId('name')).toHaveText('p3.img')
})

test('every document has its own window and machine', async ({ start }) => {
  const { app, page } = await start({ files: [seed('p3.img'), seed('p5.img')] })
  await expect.poll(() => app.windows().length).toBe(2)
  const names = async () =>
    Promise.all(app.windows().map((window) => window.getByTestId('name').textContent()))
  await expect.poll(names).toEqual(expect.arrayContaining(['p3.img', 'p5.img']))
  const other = app.windows().find((window) => window !== page)!
  await expect(other.getByTestId('state')).toContainText('running')
  // A second file from a window that shows one opens beside it; one that is open already is not opened twice.
  await page.evaluate((path) => window.ringside.call('document.open', path), seed('p4.img'))
  await expect.poll(() => app.windows().length).toBe(3)
  await page.evaluate((path) => window.ringside.call('document.open', path), seed('p4.img'))
  await other.close()
  await expect.poll(() => app.windows().length).toBe(2)
  await expect(page.getByTestId('state')).toContainText('running')
})

test('a second start hands its files to the first', async ({ start }) => {
  const { app } = await start({ files: [seed('p3.img')] })
  await app.evaluate(
    ({ app }, argv) => app.emit('second-instance', {}, argv, '/', undefined),
    ['electron', '--some-flag', seed('p4.img')],
  )
  await expect.poll(() => app.windows().length).toBe(2)
})

// As the file manager does it (tools/associate.mjs): another process, which has nothing to do.
test('a second process hands its files to the first, and ends', async ({ start }) => {
  const { app, profile } = await start({ files: [seed('p3.img')] })
  const args = ['--no-sandbox', `--user-data-dir=${profile}`, root, seed('p4.img'), seed('p5.img')]
  const second = spawn(electronExecutable(), args, { stdio: 'ignore' })
  const ended = once(second, 'exit')
  await expect.poll(() => app.windows().length, { timeout: 60_000 }).toBe(3)
  await ended
})
