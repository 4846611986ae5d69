// Takes the pictures of the README anew, in both themes and two sizes, into out/shots/readme: look at them, then copy the best to docs/.
//
//   node e2e/pictures.mjs      after a build; needs a screen (or xvfb-run -a -s '-screen 0 2560x1440x24')
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../tools/paths.mjs'
import { startForMeasuring } from './bench/start.mjs'
import { SEEDLING } from './bench/views.mjs'

const SIZES = [
  [1280, 800],
  [2560, 1440],
]
const folder = join(root, 'out/shots/readme')
await mkdir(folder, { recursive: true })
const started = await startForMeasuring({ files: SEEDLING })
const { page, app } = started
await started.atPrompt()
await started.choose('layout: memory')
await page.getByTestId('compare-spaces').click()
await page.getByTestId('space-keep').click()
await started.type('forkstorm 400')
await page.waitForTimeout(3000)
await page.keyboard.press('F6')
await page.getByTestId('pages').getByRole('button', { name: 'stack', exact: true }).click()
for (const [width = 0, height = 0] of SIZES) {
  await app.evaluate(
    ({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]?.setContentSize(size.width, size.height),
    {
      width,
      height,
    },
  )
  for (const theme of /** @type {const} */ (['dark', 'light'])) {
    await page.emulateMedia({ colorScheme: theme })
    await page.waitForTimeout(1500)
    await page.screenshot({ path: join(folder, `memory-${theme}-${width}.png`) })
  }
}
await started.close()
