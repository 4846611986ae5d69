// The host's side of the window: a shell in the image's folder, and serial ports that are devices.
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ElectronApplication, Page } from '@playwright/test'
import { expect, guest, seed, serialLines, shots, test } from './application'

/** The dialog of the system asks; the test answers. */
const answer = (app: ElectronApplication, response: 0 | 1) =>
  app.evaluate(({ dialog }, response) => {
    dialog.showMessageBox = (async () => ({
      response,
      checkboxChecked: false,
    })) as typeof dialog.showMessageBox
  }, response)

async function showTerminal(page: Page) {
  // The panels are docked: there is a place to show it in.
  await expect(page.getByTestId('cpu')).toBeVisible()
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type('show panel: terminal')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('open-shell')).toBeVisible()
}

test('a shell opens in the folder of the image when the user agrees, and only then', async ({ start }) => {
  const { app, page } = await start({ files: [seed('p3.img')] })
  await showTerminal(page)
  await answer(app, 1)
  await page.getByTestId('open-shell').click()
  await expect(page.getByTestId('open-shell')).toBeVisible()
  // What a page sends without a shell goes nowhere.
  await page.evaluate(() => window.ringside.call('shell.input', 'touch should-not-exist\n'))

  await answer(app, 0)
  await page.getByTestId('open-shell').click()
  await expect(page.getByTestId('open-shell')).toBeHidden()
  await page.getByTestId('shell').click()
  await page.keyboard.type('echo in $(basename "$PWD") with $(ls | grep -c should-not-exist)')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('shell-text')).toContainText('in seed with 0')
  await mkdir(shots, { recursive: true })
  await page.screenshot({ path: join(shots, 'terminal-dark.png') })
  await page.keyboard.type('exit 3')
  await page.keyboard.press('Enter')
  await expect(page.getByText('The shell ended with status 3.')).toBeVisible()
})

test('a shell that prints without end leaves window and guest usable', async ({ start }) => {
  const { app, page } = await start({ files: [seed('p3.img')] })
  await showTerminal(page)
  await answer(app, 0)
  await page.getByTestId('open-shell').click()
  await page.getByTestId('shell').click()
  await page.keyboard.type('yes | head -c 6000000; echo; echo the-end')
  await page.keyboard.press('Enter')
  await page.getByTestId('pause').click()
  await expect(page.getByTestId('state')).toHaveText('paused')
  // Nothing of it is lost, so the last line comes; the machine rests meanwhile.
  await expect(page.getByTestId('shell-text')).toContainText('\nthe-end', { timeout: 90_000 })
})

test('COM1 as a device: another program and the window hear the same', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/serial-echo.img')] })
  await expect.poll(() => serialLines(page)).toContain('Echo ready')
  await page.getByTestId('make-device').click()
  const path = (await page.getByTestId('device').textContent())!.trim()
  expect(path).toMatch(/^\/dev\//)
  await page.evaluate(() => new Promise((done) => setTimeout(done, 500)))
  const device = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  let heard = ''
  try {
    writeSync(device, 'from outside\r')
    await expect.poll(() => serialLines(page)).toContain('from outside')
    await expect
      .poll(() => {
        const buffer = Buffer.alloc(256)
        try {
          heard += buffer.subarray(0, readSync(device, buffer)).toString()
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        }
        return heard
      })
      .toContain('from outside')
  } finally {
    closeSync(device)
  }
  // The other ports are there, and silent.
  await page.getByTestId('port-1').click()
  await expect(page.getByText('Nothing on COM2 yet')).toBeVisible()
  await page.getByTestId('port-0').click()
  await expect.poll(() => serialLines(page)).toContain('from outside')
})
