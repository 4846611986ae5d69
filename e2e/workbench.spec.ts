// The window at work: run, pause, step, reset; keyboard and serial console; panels, layout, palette.
import { join } from 'node:path'
import { expect, guest, seed, serialLines, shots, test } from './application'

test('any number is copied in hexadecimal and in decimal', async ({ start }) => {
  const { app, page } = await start({ files: [seed('p5.img')] })
  await expect(page.getByTestId('efer')).toHaveText('00000500')
  const copied = () => app.evaluate(({ clipboard }) => clipboard.readText())
  const menu = page.getByTestId('number-menu')
  await page.getByTestId('efer').click({ button: 'right' })
  await menu.getByRole('menuitem', { name: 'decimal 1280' }).click()
  await expect.poll(copied).toBe('1280')
  await page.getByTestId('efer').click({ button: 'right' })
  await expect(menu.getByRole('menuitem').first()).toBeFocused()
  await page.keyboard.press('Enter')
  await expect.poll(copied).toBe('0x500')
})

test('pause, step, run and reset do what they say', async ({ start }) => {
  // It halts with interrupts on: the timer wakes it.
  const { page } = await start({ files: [seed('p3.img')] })
  await expect.poll(() => serialLines(page)).toContain('Stage2: OK')
  await page.getByTestId('pause').click()
  await expect(page.getByTestId('state')).toHaveText('paused')

  const instructions = page.getByTestId('instructions')
  const countNow = async () => Number(((await instructions.textContent()) ?? '').replace(/\D/g, ''))
  const before = await countNow()
  await page.keyboard.press('F11')
  await expect.poll(countNow).toBe(before + 1)
  // The step is told in amber and aloud.
  await expect(page.getByTestId('register-rip')).toContainText('changed')
  await page.getByTestId('step').click()
  await expect.poll(countNow).toBe(before + 2)

  await page.getByTestId('run').click()
  await expect(page.getByTestId('state')).toContainText('running')
  await page.getByTestId('reset').click()
  await expect(page.getByTestId('climb-2')).toHaveAttribute('data-reached', 'true')
  await expect.poll(() => serialLines(page)).toContain('Stage2: OK')
})

test('step over goes to the instruction behind a call', async ({ start }) => {
  const { page } = await start({ files: [seed('p3.img')] })
  await expect.poll(() => serialLines(page)).toContain('Stage2: OK')
  await page.getByTestId('pause').click()
  await expect(page.getByTestId('state')).toHaveText('paused')
  const line = page.getByTestId('current-line')
  const first = await line.textContent()
  await page.keyboard.press('F10')
  await expect(line).not.toHaveText(first ?? '')
})

test('what is typed at the console goes to COM1, and what comes back is shown', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/serial-echo.img')] })
  await expect(page.getByTestId('climb-2')).toHaveAttribute('data-reached', 'true')
  await page.getByTestId('serial').click()
  await page.keyboard.type('hello, ring 0')
  await page.keyboard.press('Enter')
  await page.keyboard.type('second line')
  await expect(page.getByTestId('serial-text')).toContainText('hello, ring 0\nsecond line')
})

test('keys go to the guest while its screen has the focus, and Ctrl+Alt+G takes them back', async ({
  start,
}) => {
  const { page } = await start({ files: [guest('tests/keyboard-echo.img')] })
  await expect.poll(() => serialLines(page)).toContain('Keyboard ready')
  await page.getByTestId('screen').click()
  await expect(page.getByTestId('captured')).toBeVisible()
  await page.keyboard.press('a')
  await page.keyboard.press('Shift+B')
  await page.keyboard.press('F5')
  // Scan code and character, shift flags, character: what INT 16h gives on a real PC. F5 is the guest's, too.
  await expect.poll(() => serialLines(page)).toEqual(['Keyboard ready', '1E61 00 a', '3042 02 B', '3F00 00'])
  await page.keyboard.press('Control+Alt+g')
  await expect(page.getByTestId('captured')).toBeHidden()
  await page.keyboard.press('x')
  await page.getByTestId('screen').click()
  await page.keyboard.press('y')
  await expect.poll(async () => (await serialLines(page)).at(-1)).toBe('1579 00 y')
  expect(await serialLines(page)).not.toContain('2D78 00 x')
})

test('graphics and 50-line text are recognised and drawn', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/mode13.img')] })
  await expect(page.getByTestId('screen-text')).toHaveText('Graphics, 320 × 200, 256 colours')
  const colours = () =>
    page
      .getByTestId('screen')
      .locator('canvas')
      .evaluate((canvas: HTMLCanvasElement) => {
        const pixels = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data
        const seen = new Set<number>()
        for (let i = 0; i < pixels.length; i += 16)
          seen.add((pixels[i]! << 16) | (pixels[i + 1]! << 8) | pixels[i + 2]!)
        return seen.size
      })
  // 256 entries of the BIOS palette, some of which are the same colour.
  await expect.poll(colours).toBeGreaterThan(150)
  const second = await start({ files: [guest('tests/text-80x50.img')] })
  await expect(second.page.getByTestId('screen-text')).toContainText('49')
  const rows = ((await second.page.getByTestId('screen-text').textContent()) ?? '').split('\n')
  expect(rows).toHaveLength(50)
})

test('a guest that ends says how', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/debug-exit.img')] })
  await expect(page.getByTestId('state')).toHaveText('ended, exit value 21')
  await expect(page.getByTestId('run')).toBeDisabled()
  await page.getByTestId('state').click()
  await expect.poll(() => serialLines(page)).toContain('Leaving through port F4h')
  const off = await start({ files: [guest('tests/power-off.img')] })
  await expect(off.page.getByTestId('state')).toHaveText('powered off')
})

test('a guest that prints without end leaves the window usable', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/serial-flood.img')] })
  await expect(page.getByTestId('serial-text')).toContainText('......')
  await expect
    .poll(async () => Number(((await page.getByTestId('com1').textContent()) ?? '').replace(/\D/g, '')))
    .toBeGreaterThan(3_000_000)
  const began = Date.now()
  await page.getByTestId('pause').click()
  await expect(page.getByTestId('state')).toHaveText('paused')
  expect(Date.now() - began).toBeLessThan(3000)
})

test('the command palette finds and runs commands', async ({ start }) => {
  const { page } = await start({ files: [seed('p3.img')] })
  await expect(page.getByTestId('state')).toContainText('running')
  await page.keyboard.press('Control+Shift+P')
  const palette = page.getByTestId('palette')
  await expect(palette).toBeVisible()
  await page.keyboard.type('pause')
  await page.keyboard.press('Enter')
  await expect(palette).toBeHidden()
  await expect(page.getByTestId('state')).toHaveText('paused')
})

test('the layout is remembered, and can be reset', async ({ start }) => {
  const first = await start({ files: [seed('p3.img')] })
  await expect(first.page.getByTestId('memory-map')).toBeVisible()
  await first.page.keyboard.press('Control+4')
  await expect(first.page.getByTestId('memory-map')).toBeHidden()
  await expect
    .poll(async () => first.app.evaluate(({ app }) => app.getPath('userData')).catch(() => ''))
    .toBe(first.profile)
  // The layout is saved a moment after it has come to rest.
  await first.page.waitForFunction(() => document.querySelectorAll('.dv-tab').length === 2)
  await first.page.evaluate(() => new Promise((done) => setTimeout(done, 1200)))
  await first.app.close()

  const second = await start({ files: [seed('p3.img')], profile: first.profile })
  await expect(second.page.getByTestId('screen')).toBeVisible()
  await expect(second.page.getByRole('tab')).toHaveCount(2)
  await second.page.keyboard.press('Control+1')
  await expect(second.page.getByTestId('memory-map')).toBeVisible()
})

test('each document has its own layout; a new one begins with the last', async ({ start }) => {
  const first = await start({ files: [seed('p3.img')] })
  await expect(first.page.getByTestId('memory-map')).toBeVisible()
  await first.page.keyboard.press('Control+4')
  await first.page.waitForFunction(() => document.querySelectorAll('.dv-tab').length === 2)
  await first.page.waitForTimeout(1200)
  await first.app.close()
  const second = await start({ files: [seed('p4.img')], profile: first.profile })
  await expect(second.page.getByRole('tab')).toHaveCount(2)
  await second.page.keyboard.press('Control+1')
  await expect(second.page.getByTestId('memory-map')).toBeVisible()
  await second.page.waitForTimeout(1200)
  await second.app.close()
  const third = await start({ files: [seed('p3.img')], profile: first.profile })
  await expect(third.page.getByTestId('screen')).toBeVisible()
  await expect(third.page.getByRole('tab')).toHaveCount(2)
})

test('a panel floats above the others and is docked again', async ({ start }) => {
  const { page } = await start({ files: [seed('p3.img')] })
  await expect(page.getByTestId('cpu')).toBeVisible()
  await page.getByRole('tab', { name: 'CPU' }).click()
  const float = async () => {
    await page.keyboard.press('Control+Shift+P')
    await page.getByRole('combobox').fill('float the panel')
    await page.keyboard.press('Enter')
  }
  await float()
  const floating = page.locator('.dv-resize-container')
  await expect(floating.getByTestId('cpu')).toBeVisible()
  await page.screenshot({ path: join(shots, 'floating-dark.png') })
  await float()
  await expect(floating).toHaveCount(0)
  await expect(page.getByTestId('cpu')).toBeVisible()
})

test('the map tells everything about the frame that is pointed at', async ({ start }) => {
  const { page } = await start({ files: [seed('p5.img')] })
  await expect(page.getByTestId('memory-table')).toHaveText('12 KiB')
  await page.getByTestId('memory-map').focus()
  // Frame 7 holds the boot sector.
  for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowRight')
  await expect(page.getByTestId('frame-facts')).toContainText('frame 0007')
  await expect(page.getByTestId('frame-facts')).toContainText('executed')
})

test('the code panel can look elsewhere and comes back to RIP', async ({ start }) => {
  const { page } = await start({ files: [seed('p3.img')] })
  await expect(page.getByTestId('current-line')).toBeVisible()
  await page.getByLabel('Go to an offset in the code segment, hexadecimal').fill('7c00')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('code').locator('tr').first()).toContainText('0000:7c00')
  await page.getByTestId('follow').click()
  await expect(page.getByTestId('current-line')).toBeVisible()
})
