// A real Linux in the real application: what its allocators are shown to hold is what it prints of them itself. Runs where an image is:
// RINGSIDE_LINUX=FOLDER, with vmlinuz and an initramfs.gz whose init mounts /proc and starts a shell on ttyS0.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { accessible, expect, serialLines, shots, test } from './application'

const folder = process.env['RINGSIDE_LINUX'] ?? ''
test.skip(!existsSync(join(folder, 'vmlinuz')), 'RINGSIDE_LINUX names no folder with a vmlinuz')
test.setTimeout(1_500_000)

const SETTINGS = {
  ...{ cpus: 1, memory: 512 << 20, cpu: 'v3', schedule: 'parallel', seed: '0', boot: [], images: [] },
  ...{ initrd: [join(folder, 'initramfs.gz')], append: 'console=ttyS0' },
}

async function boot(page: Page) {
  await expect(page.getByTestId('kernel')).toBeVisible()
  await page.evaluate((settings) => window.ringside.call('settings.start', settings as never), SETTINGS)
  await expect(page.getByTestId('serial-text')).toContainText('READY', { timeout: 900_000 })
}

async function show(page: Page) {
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type('panel: allocator')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('allocator')).toBeVisible()
  await expect(page.getByTestId('allocator-kernel')).toContainText('Linux', { timeout: 120_000 })
}

/** What a file of /proc says, by the shell itself: no process comes or goes for it. */
let asked = 0
async function proc(page: Page, name: string, print = 'echo "$l"'): Promise<string[]> {
  const mark = `END${++asked}`
  const done = `${mark.slice(0, 1)}""${mark.slice(1)}`
  await page.evaluate(
    (text) => window.ringside.call('serial.input', 0, text),
    `while read -r l; do ${print}; done </proc/${name}; echo ${done}\n`,
  )
  await expect(page.getByTestId('serial-text')).toContainText(`\n${mark}`, { timeout: 120_000 })
  const lines = await serialLines(page)
  const end = lines.lastIndexOf(mark)
  const begin = lines.findLastIndex((line, i) => i < end && line.includes(`echo ${done}`))
  return lines.slice(begin + 1, end)
}

const number = (text: string | null) => Number((text ?? '').replace(/\D/g, ''))

test('zones, slabs and counters are those that the guest prints', async ({ start }) => {
  await mkdir(shots, { recursive: true })
  const { page } = await start({ files: [join(folder, 'vmlinuz')], width: 1440, height: 900 })
  await boot(page)
  await show(page)

  // The guest goes on between the two; when it rests, they meet.
  await expect(async () => {
    const rows = (await proc(page, 'buddyinfo')).flatMap(
      (line) => /zone +\w+ +([ \d]+)/.exec(line)?.[1] ?? [],
    )
    const counts = rows.map((row) => row.trim().split(/ +/).map(Number))
    expect(counts.length).toBeGreaterThan(0)
    await page.waitForTimeout(1500)
    const blocks = await page.getByTestId('allocator-blocks').locator('td[data-order]').allTextContents()
    expect(blocks.map(number)).toEqual(
      counts[0]!.map((_, order) => counts.reduce((sum, row) => sum + row[order]!, 0)),
    )
  }).toPass({ timeout: 300_000 })

  await expect(async () => {
    const printed = new Map(
      // Only what is compared: the console keeps 200 lines.
      (await proc(page, 'slabinfo', 'set -- $l; n="$1 $2 $3"; shift 9; echo $n $6')).flatMap((line) => {
        const [name, active, objects, slabs] = line.trim().split(/ +/)
        return /^\d+$/.test(active ?? '') && name
          ? [[name, [active, objects, slabs].map(Number)] as const]
          : []
      }),
    )
    expect(printed.size).toBeGreaterThan(50)
    await page.waitForTimeout(1500)
    const shown = await page
      .getByTestId('allocator-caches')
      .evaluate((table) =>
        [...table.querySelectorAll('tbody > tr')].map((row) =>
          [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? ''),
        ),
      )
    const caches = shown.map(([name = '', , slabs = '', inUse = '', held = '', objects = '']) => [
      name.replace(/^\S+ /, ''),
      [number(inUse) + number(held), number(objects), number(slabs)],
    ])
    expect(caches.length).toBe(printed.size)
    expect(Object.fromEntries(caches)).toEqual(Object.fromEntries(printed))
  }).toPass({ timeout: 300_000 })

  await expect(async () => {
    const lines = await proc(page, 'meminfo')
    await page.waitForTimeout(1500)
    const counters = page.getByTestId('allocator-counters')
    const names = await counters.locator('dt').allTextContents()
    expect(names).toContain('MemFree')
    const values = await counters.locator('dd').allTextContents()
    const printed = names.map((name) => lines.find((line) => line.startsWith(`${name}:`)))
    expect(values.map(number)).toEqual(printed.map((line) => number(line ?? '')))
  }).toPass({ timeout: 300_000 })

  // Whose a frame is.
  await page
    .getByTestId('allocator-legend')
    .getByRole('button', { name: /^anonymous/ })
    .click()
  await page.getByRole('button', { name: 'table', exact: true }).click()
  await page.getByTestId('allocator-runs').getByRole('button').last().click()
  await expect(page.getByTestId('frame-card')).toContainText(/\w+ \(\d+\) has it at [0-9A-F]+h/)
  await expect(page.getByTestId('allocator-running')).toContainText(/CPU 0 (idle|\S+ \(\d+\))/)

  // Objects of a slab.
  await page
    .getByTestId('allocator-caches')
    .getByRole('button', { name: /task_struct/ })
    .click()
  await expect(page.getByTestId('allocator-caches').locator('.objects').first()).toBeVisible()
  await page.screenshot({ path: join(shots, 'linux-objects.png') })
  await accessible(page)
})

for (const theme of ['dark', 'light'] as const) {
  test(`looks right, ${theme}`, async ({ start }) => {
    await mkdir(shots, { recursive: true })
    const { page, app } = await start({ files: [join(folder, 'vmlinuz')], theme, width: 1440, height: 900 })
    await boot(page)
    await page.keyboard.press('Control+Shift+P')
    await page.keyboard.type('layout: memory')
    await page.keyboard.press('Enter')
    await show(page)
    for (const colour of ['state', 'owner', 'order', 'mapped', 'heat']) {
      await page.getByRole('radio', { name: colour }).click()
      await page.waitForTimeout(1500)
      await page.screenshot({ path: join(shots, `linux-${colour}-${theme}.png`) })
    }
    await page.getByRole('radio', { name: 'state' }).click()
    const box = (await page.getByTestId('allocator-map').boundingBox())!
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.4)
    await page.waitForTimeout(1000)
    await page.screenshot({ path: join(shots, `linux-tip-${theme}.png`) })
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.setContentSize(2560, 1440))
    await page.waitForTimeout(2000)
    await page.screenshot({ path: join(shots, `linux-2560-${theme}.png`) })
  })
}
