// What is picked in one panel is seen in the others, and address spaces are compared: over Seedling at its shell.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { accessible, expect, guest, shots, test } from './application'

let folder: string
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringside-selection-'))
  for (const name of ['seedling.img', 'seedling.elf', 'seedling.lens.json'])
    copyFileSync(guest(`seedling/${name}`), join(folder, name))
})
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function choose(page: Page, command: string) {
  await expect(page.getByTestId('palette')).toBeHidden()
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type(command)
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('palette')).toBeHidden()
}

test('an address that is picked is seen as bytes, walk, code, TLB entry and frame, and gone back to', async ({
  start,
}) => {
  const { page } = await start({ files: [join(folder, 'seedling.img')], width: 1440, height: 900 })
  await choose(page, 'layout: memory')
  await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await page.keyboard.press('F6')
  await expect(page.getByTestId('state')).toContainText('paused')

  // The stack: its walk, its entry, its frame.
  await page.getByTestId('pages').getByRole('button', { name: 'stack', exact: true }).click()
  const picked = page.getByTestId('picked')
  await expect(picked).toContainText('→')
  const stack = (await page.getByTestId('walk-address').locator('b').textContent()) ?? ''
  await expect(picked.locator('.address').first()).toHaveText(stack)
  await expect(page.getByTestId('pages').locator('li.picked')).toHaveCount(1)
  await expect(page.getByTestId('space').locator('tr.picked')).toHaveCount(1)
  await expect(page.getByTestId('allocator-picked')).toBeVisible()

  // Its frame, in the memory map and as bytes.
  await choose(page, 'panel: memory map')
  await expect(page.getByTestId('memory-picked')).toBeVisible()
  await expect(page.getByTestId('regions').locator('tr.picked')).toHaveCount(1)
  await picked.locator('.address').nth(1).click()
  await expect(page.getByTestId('hex')).toBeVisible()
  await expect(page.getByTestId('hex-physical')).toHaveAttribute('aria-checked', 'true')
  await expect(page.getByTestId('hex-grid').locator('.bytes .picked')).not.toHaveCount(0)
  await expect(picked).toContainText(' at ')

  // The IDT after it; then back to the frame, back to the stack, and forward again.
  await page.getByTestId('pages').getByRole('button', { name: 'idt', exact: true }).click()
  await expect(picked.locator('.address').first()).not.toHaveText(stack)
  const idt = (await picked.locator('.address').first().textContent()) ?? ''
  await page.keyboard.press('Alt+ArrowLeft')
  await expect(page.getByTestId('hex-physical')).toHaveAttribute('aria-checked', 'true')
  await page.keyboard.press('Alt+ArrowLeft')
  await expect(picked.locator('.address').first()).toHaveText(stack)
  await expect(page.getByTestId('walk-address')).toContainText(stack)
  await page.keyboard.press('Alt+ArrowRight')
  await page.keyboard.press('Alt+ArrowRight')
  await expect(picked.locator('.address').first()).toHaveText(idt)

  // An instruction.
  await choose(page, 'panel: code')
  await page.getByTestId('follow').click()
  const line = page.getByTestId('current-line')
  await line.locator('.place button').click()
  await expect(line).toHaveClass(/picked/)
  await choose(page, 'panel: tlb')
  await expect(page.getByTestId('tlb-ranges').locator('tr.picked')).not.toHaveCount(0)
  await choose(page, 'panel: allocator')
  await accessible(page)
})

test('address spaces are compared with each other, and with what they were a moment ago', async ({
  start,
}) => {
  const { page } = await start({ files: [join(folder, 'seedling.img')], width: 1440, height: 900 })
  await choose(page, 'layout: memory')
  await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await page.getByTestId('compare-spaces').click()
  await page.getByTestId('space-keep').click()
  await expect(page.getByTestId('space-same')).toContainText('nothing differs')
  // A program that runs maps pages of its own: its address space is another one than the shell's.
  await page.getByTestId('serial').click()
  await page.keyboard.type('forkstorm 100000\n')
  await expect(page.getByTestId('differences').locator('tbody tr')).not.toHaveCount(0, { timeout: 30_000 })
  await page.keyboard.press('F6')
  await expect(page.getByTestId('state')).toContainText('paused')
  // Two that are live: the kernel's part is the same, what belongs to the processes is not.
  const spaces = page.getByTestId('space-a').locator('option')
  const names = await spaces.evaluateAll((list) =>
    list.map((option) => (option as HTMLOptionElement).value).filter((value) => /^[0-9a-f]+$/.test(value)),
  )
  expect(names.length).toBeGreaterThan(1)
  await page.getByTestId('space-a').selectOption(names[0]!)
  await page.getByTestId('space-b').selectOption(names.at(-1)!)
  await expect(page.getByTestId('space-same')).toContainText(/[KMG]iB alike/)
  await page.getByTestId('space-b').selectOption(names[0]!)
  await expect(page.getByTestId('space-same')).toContainText('nothing differs')
  await page.getByTestId('space-a').selectOption('asked')
  await page.getByTestId('space-b').selectOption(names.at(-1)!)
  await expect(page.getByTestId('space-differences')).toBeVisible()
  await accessible(page)
  await page.screenshot({ path: join(shots, 'differences-dark-wide.png') })
})
