// The allocator heatmap over Seedling, against what Seedling prints of its own allocators.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { accessible, expect, guest, serialLines, shots, test } from './application'

/** Seedling with another boot line, its symbols and its lens beside it. */
function seedling(line: string, lens = true): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-allocator-'))
  const bytes = readFileSync(guest('seedling/seedling.img'))
  bytes.fill(0, 512 + 8, 1024)
  bytes.writeUInt16LE(line.length, 512 + 10)
  bytes.write(line, 512 + 12, 'latin1')
  const image = join(folder, 'seedling.img')
  writeFileSync(image, bytes)
  copyFileSync(guest('seedling/seedling.elf'), join(folder, 'seedling.elf'))
  if (lens) copyFileSync(guest('seedling/seedling.lens.json'), join(folder, 'seedling.lens.json'))
  folders.push(folder)
  return image
}
const folders: string[] = []
test.afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
test.beforeAll(() => mkdir(shots, { recursive: true }))

async function show(page: Page) {
  await expect(page.getByTestId('palette')).toBeHidden()
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type('panel: allocator')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('allocator')).toBeVisible()
}

const figure = (page: Page, name: string) =>
  page
    .getByTestId('allocator-figures')
    .locator('div', { has: page.locator(`dt:text-is("${name}")`) })
    .locator('dd')
const plain = async (text: Promise<string | null>) => ((await text) ?? '').replace(/[^\w^.-]/g, '')

for (const allocator of ['buddy', 'bitmap'] as const) {
  test(`shows what Seedling's ${allocator} allocator and slab caches print`, async ({ start }) => {
    const { page } = await start({ files: [seedling(`frames=${allocator} run=stress,3000;shell`)] })
    await show(page)
    await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
    await page.getByTestId('serial').click()
    await page.keyboard.type('frames\nslab\n')
    await expect(page.getByTestId('serial-text')).toContainText(/colours[\s\S]*seedling> $/)
    const text = (await serialLines(page)).join('\n')
    const [, free, , largest] =
      /allocator: \w+, (\d+) of (\d+) frames free, largest block of order (\d+)/.exec(text)!
    await expect(page.getByTestId('allocator-kernel')).toHaveText(`Seedling · ${allocator}`)
    // The shell waits for a key: nothing is allocated any more.
    await expect.poll(() => plain(figure(page, 'free').textContent())).toBe(free)
    expect(await plain(figure(page, 'largest').textContent())).toBe(`2^${largest}`)
    await expect(figure(page, 'free')).not.toHaveClass(/changed/)
    await expect(page.getByTestId('allocator-figures')).not.toContainText('disagree')
    if (allocator === 'buddy') {
      const blocks = /\n {2}order [ \d]+\n {2}free {2}([ \d]+)/.exec(text)![1]!.trim().split(/\s+/)
      expect(await page.getByTestId('allocator-blocks').locator('td[data-order]').allTextContents()).toEqual(
        blocks,
      )
    }
    for (const line of text.split('\n').filter((line) => /^kmalloc-\d+ /.test(line))) {
      const [name, , , , slabs, inUse] = line.trim().split(/\s+/)
      const cells = page
        .getByTestId('allocator-caches')
        .getByRole('row', { name: new RegExp(`${name}\\b`) })
        .locator('td')
      expect(
        [await plain(cells.nth(2).textContent()), await plain(cells.nth(3).textContent())],
        name,
      ).toEqual([slabs, inUse])
    }

    // How it lies in memory.
    await page.getByTestId('allocator-structure').click()
    await page.getByRole('button', { name: 'table', exact: true }).click()
    if (allocator === 'buddy') {
      const blocks = /\n {2}order [ \d]+\n {2}free {2}([ \d]+)/.exec(text)![1]!.trim().split(/\s+/)
      const cells = page.getByTestId('allocator-buddy-table').locator('[data-blocks]')
      await expect.poll(async () => (await cells.allTextContents()).slice(0, 11)).toEqual(blocks)
    } else {
      const cells = page.getByTestId('allocator-bitmap-table').locator('tbody tr td:last-child')
      const sum = async () => {
        const counts = await cells.allTextContents()
        return String(counts.reduce((all, each) => all + Number(each.replace(/\D/g, '')), 0))
      }
      await expect.poll(sum).toBe(free)
    }
    await page.screenshot({ path: join(shots, `allocator-${allocator}-structure.png`) })
    await page.getByRole('button', { name: 'table', exact: true }).click()
    await page.getByRole('radio', { name: 'Hilbert' }).click()

    // A frame's story, by the keyboard.
    await page
      .getByTestId('allocator-legend')
      .getByRole('button', { name: /^table/ })
      .click()
    await page.getByRole('button', { name: 'table', exact: true }).click()
    await page.getByTestId('allocator-runs').getByRole('button').last().click()
    await expect(page.getByTestId('frame-card')).toContainText('table')
    await expect(page.getByTestId('frame-card')).toContainText(/asked for by \w+\+[0-9A-F]+h/)
    await expect(page.getByTestId('frame-card')).toContainText(/mapped \d+ time|mapped once/)
    await page
      .getByTestId('frame-card')
      .getByRole('button', { name: /walk to it/ })
      .first()
      .click()
    await expect(page.getByTestId('pages')).toBeVisible()
  })
}

test('flags uses after free and double frees as they happen, with who did it', async ({ start }) => {
  const { page } = await start({ files: [seedling('run=stress,300;shell')] })
  await show(page)
  await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await expect(page.getByTestId('allocator-kernel')).toContainText('Seedling')
  await page.getByTestId('serial').click()
  await page.keyboard.type('fault use-after-free\n')
  const uses = page.getByTestId('uses-after-free')
  await expect(uses).toContainText(
    /frame [0-9a-f]{8}\s+written[\s\S]*by\s+use_after_free\+[0-9A-F]+h[\s\S]*freed[\s\S]*use_after_free/,
  )
  await expect(uses.locator('li')).toHaveCount(1)
  await page.getByTestId('serial').click()
  await page.keyboard.type('fault double-free\n')
  const twice = page.getByTestId('double-frees')
  await expect(twice.locator('li')).toHaveCount(2)
  await expect(twice).toContainText(/frames[\s\S]*double_free[\s\S]*kmalloc[\s\S]*double_free/)
  await expect(uses.locator('li')).toHaveCount(1)
  await page.screenshot({ path: join(shots, 'allocator-faults.png') })
  // The frame's story, with who called whom.
  await uses.getByRole('button', { name: /show it/ }).click()
  await expect(page.getByTestId('frame-card')).toContainText(/called from \w+\+/)
  await expect(page.getByTestId('frame-card')).toContainText('instructions retired')
  await uses
    .getByRole('button', { name: /^use_after_free/ })
    .first()
    .click()
  await expect(page.getByTestId('code')).toContainText('use_after_free')
})

test('a list of free pages is drawn in the order in which they will be given out', async ({ start }) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-chain-'))
  folders.push(folder)
  const image = join(folder, 'free-list.img')
  copyFileSync(guest('tests/free-list.img'), image)
  const { app, page } = await start({ files: [image] })
  await expect(page.getByTestId('serial-text')).toContainText(/free pages: \d+/)
  const [, free] = /free pages: (\d+)/.exec((await serialLines(page)).join('\n'))!
  await show(page)
  const target = join(folder, 'free-list.lens.json')
  await app.evaluate(({ dialog }, path) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath: path })
  }, target)
  await page
    .getByTestId('allocator-guesses')
    .getByRole('button', { name: 'Use as lens…' })
    .click({ timeout: 60_000 })
  await expect.poll(() => plain(figure(page, 'free').textContent())).toBe(free)
  await page.getByTestId('allocator-structure').click()
  await expect(page.getByTestId('allocator-chain')).toHaveAttribute(
    'aria-label',
    /^The free list: 1.336 frames/,
  )
  await page.getByRole('button', { name: 'table', exact: true }).click()
  // The guest has put them on the list from 2 MiB to 8 MiB, taken 300 from the end and given back every third, the last one last: the
  // next to be given out is that one, and each holds the address of the next in its first word.
  const rows = page.getByTestId('allocator-chain-table').locator('tbody tr')
  const first = ((await rows.first().locator('td').last().textContent()) ?? '').trim()
  const second = ((await rows.nth(1).locator('td').last().textContent()) ?? '').trim()
  await page.getByTestId('allocator-chain').focus()
  await page.keyboard.press('ArrowRight')
  await expect(page.getByTestId('frame-facts')).toContainText(`phys ${first}`)
  const word = second.match(/../g)!.reverse().join(' ')
  await expect(page.getByTestId('frame-facts')).toContainText(word)
  await page.screenshot({ path: join(shots, 'allocator-chain.png') })
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('frame-card')).toContainText('free')
  await accessible(page)
})

test('without a lens it guesses, says why, and reads through the guess when asked to', async ({ start }) => {
  const image = seedling('frames=bitmap run=stress,2000;shell', false)
  const { app, page } = await start({ files: [image] })
  await show(page)
  await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await page.getByTestId('serial').click()
  await page.keyboard.type('frames\n')
  await expect(page.getByTestId('serial-text')).toContainText(/words scanned[\s\S]*seedling> $/)
  const text = (await serialLines(page)).join('\n')
  const [, free] = /allocator: \w+, (\d+) of \d+ frames free/.exec(text)!
  const guesses = page.getByTestId('allocator-guesses')
  await expect(guesses).toContainText('A guess: a frame bitmap', { timeout: 60_000 })
  await expect(guesses).toContainText(/\d+ of \d+ frames that say something agree/)
  await page.screenshot({ path: join(shots, 'allocator-guess.png') })
  const target = image.replace('.img', '-guessed.lens.json')
  await app.evaluate(({ dialog }, path) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath: path })
  }, target)
  await guesses.getByRole('button', { name: 'Use as lens…' }).click()
  await expect(page.getByTestId('allocator-kernel')).toHaveText('unknown kernel (guessed) · guessed bitmap')
  await expect.poll(() => plain(figure(page, 'free').textContent())).toBe(free)
  await expect(guesses).toBeHidden()
  expect(JSON.parse(readFileSync(target, 'utf8'))).toMatchObject({
    lens: 1,
    allocators: [{ kind: 'bitmap' }],
  })
})

test('without a lens it says so, and shows what the hardware knows', async ({ start }) => {
  const { page } = await start({ files: [seedling('run=help', false)] })
  await show(page)
  await expect(page.getByTestId('allocator-notice')).toContainText('No lens')
  await expect(page.getByTestId('allocator-legend')).toContainText('executed')
})

for (const theme of ['dark', 'light'] as const) {
  test(`looks right, ${theme}`, async ({ start }) => {
    const { app, page } = await start({
      files: [seedling('run=stress,20000;shell')],
      theme,
      width: 1440,
      height: 900,
    })
    await page.keyboard.press('Control+Shift+P')
    await page.keyboard.type('layout: memory')
    await page.keyboard.press('Enter')
    await show(page)
    await expect(page.getByTestId('allocator-kernel')).toContainText('Seedling', { timeout: 30_000 })
    await expect(page.getByTestId('serial-text')).toContainText('seedling> ')
    await page.getByTestId('serial').click()
    await page.keyboard.type('forkstorm 5000\n')
    await page.waitForTimeout(2500)
    const shot = async (name: string) =>
      page.screenshot({ path: join(shots, `allocator-${name}-${theme}.png`) })
    await shot('state')
    const map = page.getByTestId('allocator-map')
    const box = (await map.boundingBox())!
    await page.mouse.move(box.x + box.width * 0.2, box.y + box.height * 0.2)
    await page.waitForTimeout(400)
    await shot('tip')
    for (const colour of ['order', 'mapped', 'heat', 'age', 'owner']) {
      await page.getByRole('radio', { name: colour }).click()
      await page.waitForTimeout(500)
      await shot(colour)
    }
    await page.getByRole('radio', { name: 'state' }).click()
    await page.getByTestId('allocator-structure').click()
    await page.waitForTimeout(700)
    const tree = (await page.getByTestId('allocator-buddy').boundingBox())!
    await page.mouse.move(tree.x + tree.width * 0.4, tree.y + tree.height * 0.6)
    await page.waitForTimeout(300)
    await shot('buddy')
    await page.getByRole('radio', { name: 'rows' }).click()
    await page.getByRole('button', { name: 'table', exact: true }).click()
    await page.waitForTimeout(400)
    await shot('rows')
    for (const { width, height } of [
      { width: 1280, height: 800 },
      { width: 900, height: 600 },
      { width: 2560, height: 1440 },
    ]) {
      await app.evaluate(
        ({ BrowserWindow }, size) =>
          BrowserWindow.getAllWindows()[0]!.setContentSize(size.width, size.height),
        { width, height },
      )
      await page.waitForTimeout(600)
      await shot(String(width))
    }
    await page.getByTestId('allocator-structure').click()
    await page.waitForTimeout(600)
    await shot('buddy-2560')
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
    const serious = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' | ')}`)
    expect(serious).toEqual([])
  })
}
