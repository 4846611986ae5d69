// Takes the pictures of the README anew into out/shots/readme, the memory views in both themes and two sizes: look at them, then copy
// the best to docs/.
//
//   node e2e/pictures.mjs [NAME...]     after a build; needs a screen (or xvfb-run -a -s '-screen 0 2560x1440x24')
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../tools/paths.mjs'
import { startForMeasuring } from './bench/start.mjs'
import { SEEDLING } from './bench/views.mjs'

/** @typedef {import('./bench/start.mjs').Started} Started */

const SMALL = { width: 1280, height: 800 }
const LARGE = { width: 2560, height: 1440 }
const folder = join(root, 'out/shots/readme')

/** @param {Started} started @param {string} name @param {'dark' | 'light'} theme */
async function take({ app, page }, name, theme, size = SMALL) {
  await app.evaluate(
    ({ BrowserWindow }, { width, height }) => BrowserWindow.getAllWindows()[0]?.setContentSize(width, height),
    size,
  )
  await page.emulateMedia({ colorScheme: theme })
  await page.waitForTimeout(1500)
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

/**
 * Seedling at its prompt, in a machine small enough for every frame to be seen.
 * @param {number} cpus
 */
async function seedling(cpus) {
  const started = await startForMeasuring({ files: SEEDLING, ...SMALL })
  const { page } = started
  await page.getByTestId('summary').click()
  await page.getByTestId('cpus').fill(String(cpus))
  await page.getByTestId('memory-size').fill('16')
  await page.getByTestId('settings-start').click()
  await page.getByTestId('settings').waitFor({ state: 'hidden' })
  await started.atPrompt()
  await started.choose('layout: memory')
  return started
}

/** @type {Record<string, () => Promise<void>>} */
const SCENES = {
  async boot() {
    const started = await startForMeasuring({ files: ['first-light/first-light.img'], ...SMALL })
    await started.page.waitForTimeout(4000)
    await take(started, 'first-light', 'dark')
    await started.close()
  },
  async memory() {
    const started = await seedling(1)
    const { page } = started
    await page.getByTestId('compare-spaces').click()
    await page.getByTestId('space-keep').click()
    await started.type('player swiss')
    await page.waitForTimeout(1500)
    await started.type('forkstorm 4000')
    await page.waitForTimeout(2500)
    await page.keyboard.press('F6')
    await page.getByRole('radio', { name: 'owner' }).click()
    await page.getByTestId('pages').getByRole('button', { name: 'stack', exact: true }).click()
    for (const size of [SMALL, LARGE])
      for (const theme of /** @type {const} */ (['dark', 'light']))
        await take(started, `memory-${theme}-${size.width}`, theme, size)
    await started.close()
  },
  async space() {
    const started = await seedling(1)
    const { page } = started
    await page.keyboard.press('F6')
    await started.choose('panel: bytes')
    await started.choose('panel: memory map')
    await page
      .getByRole('radiogroup', { name: 'Picture of memory' })
      .getByRole('radio', { name: 'linear' })
      .click()
    const shell = page.getByTestId('space-choice').locator('option', { hasText: 'shell' })
    await page.getByTestId('space-choice').selectOption(await shell.first().getAttribute('value'))
    await page.getByTestId('pages').getByRole('button', { name: 'stack', exact: true }).click()
    await take(started, 'space', 'light')
    await started.close()
  },
  async shootdowns() {
    const started = await seedling(4)
    const { page } = started
    await started.choose('panel: tlb')
    await page.getByRole('radio', { name: 'shootdowns' }).click()
    await started.type('shootdown 300')
    await page.getByTestId('shootdown-rows').locator('tbody tr').first().click({ timeout: 60_000 })
    await page.getByRole('radio', { name: 'owner' }).click()
    await take(started, 'shootdowns', 'dark')
    await started.close()
  },
  async interrupts() {
    const started = await seedling(4)
    const { page } = started
    await started.choose('layout: boot')
    await started.choose('panel: interrupts')
    await started.type('shootdown 300')
    await page.getByTestId('flow-vector-v241').click({ timeout: 60_000 })
    await page.getByRole('radio', { name: 'longest wait' }).click()
    await page.getByTestId('interrupt-rows').locator('tbody tr button').first().click()
    await take(started, 'interrupts', 'dark')
    await started.close()
  },
  async fault() {
    const started = await startForMeasuring({ files: ['seed/triple-fault.img'], ...SMALL })
    await started.page.getByTestId('fault').waitFor()
    await take(started, 'fault', 'light')
    await started.close()
  },
}

await mkdir(folder, { recursive: true })
const wanted = process.argv.slice(2)
for (const [name, scene] of Object.entries(SCENES))
  if (wanted.length === 0 || wanted.includes(name)) await scene()
