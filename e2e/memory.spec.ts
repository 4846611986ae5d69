// The Memory panel: bytes, what they mean, the search, and changes by hand.
import { join } from 'node:path'
import { accessible, expect, guest, seed, shots, test } from './application'

test('memory is looked at, laid over with what it means, searched and changed by hand', async ({ start }) => {
  const { page } = await start({ files: [guest('seedling/seedling.img')], width: 1440, height: 900 })
  await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await page.keyboard.press('F6')
  await expect(page.getByTestId('state')).toHaveText('paused')
  await page.keyboard.press('Control+2')
  const hex = page.getByTestId('hex')
  await expect(hex).toBeVisible()

  // The table that a register points at, and from its gate to the handler's code.
  await page.getByTestId('hex-goto').fill('idt+e0')
  await page.getByTestId('hex-goto').press('Enter')
  await expect(page.getByTestId('hex-said')).toContainText(
    /gate 14 #PF: \w+ {2}0008:FFFFFFFF8.*64-bit interrupt gate/,
  )
  await page.screenshot({ path: join(shots, 'hex-idt-dark.png') })
  await page
    .getByTestId('hex-items')
    .getByRole('button', { name: /64-bit interrupt gate/ })
    .first()
    .click()
  await expect(page.getByTestId('code')).toContainText('push')

  // A symbol, and its bytes searched for again in physical memory.
  await page.keyboard.press('Control+p')
  await page.getByRole('combobox').fill('kernel_main')
  await expect(page.getByRole('option').first()).toContainText('function')
  await page.keyboard.press('Shift+Enter')
  await expect(page.getByTestId('hex-said')).toContainText('kernel_main')
  await page.getByTestId('hex-frame').getByRole('button').click()
  await expect(page.getByTestId('hex-frame')).toBeHidden()
  await expect(page.getByTestId('hex-grid')).toHaveAttribute('aria-label', /physical/)
  await page.getByTestId('hex-find').fill('"SEEDLING-OK')
  await page.getByTestId('hex-find').press('Enter')
  await expect(page.getByTestId('hex-said')).toContainText(': 53')

  // A byte is changed while the machine rests.
  await page.getByTestId('hex-goto').fill('5000')
  await page.getByTestId('hex-goto').press('Enter')
  await page.keyboard.press('Insert')
  await page.keyboard.type('c0de')
  await page.keyboard.press('Escape')
  await page.keyboard.press('ArrowLeft')
  await expect(page.getByTestId('hex-said')).toContainText('5001: de')
  await accessible(page)
  await page.screenshot({ path: join(shots, 'hex-dark.png') })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.screenshot({ path: join(shots, 'hex-light.png') })

  // All linear addresses as a strip: from the whole space into a range, and down to single bytes.
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type('panel: memory map')
  await page.keyboard.press('Enter')
  const pictures = page.getByRole('radiogroup', { name: 'Picture of memory' })
  await pictures.getByRole('radio', { name: 'linear' }).click()
  await expect(page.getByTestId('space-range')).toHaveText('16 EiB from 00000000')
  await expect(page.getByTestId('space-map')).toContainText('not canonical')
  const direct = page
    .getByTestId('space')
    .getByRole('row', { name: /direct map/ })
    .first()
  await direct.getByRole('button').first().click()
  await expect(page.getByTestId('space-range')).toHaveText(/^256 MiB from ffff8000.00000000$/)
  await accessible(page)
  // The direct map begins with physical address 0: the interrupt vectors that the BIOS left.
  await page.getByTestId('space-map').focus()
  await page.keyboard.press('ArrowDown')
  for (let step = 0; step < 24; step++) await page.keyboard.press('+')
  await expect(page.getByTestId('space-range')).toHaveText(/^16 B from ffff8000.00000000$/)
  await expect(page.getByTestId('space-map').locator('[data-byte]')).toHaveCount(16)
  await pictures.getByRole('radio', { name: 'physical' }).click()
  await expect(page.getByTestId('space-map')).toContainText('extended memory')
  await page.screenshot({ path: join(shots, 'space-light.png') })
})

test('a type of the kernel is laid over its bytes; a name that is none is told', async ({ start }) => {
  const { page } = await start({ files: [guest('seedling/seedling.img')], width: 1440, height: 900 })
  await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await page.keyboard.press('F6')
  await page.keyboard.press('Control+2')
  await page.getByTestId('hex-goto').fill('no_such_thing')
  await page.getByTestId('hex-goto').press('Enter')
  await expect(page.getByTestId('hex')).toContainText(
    'no address, register or symbol is called “no_such_thing”',
  )
  await page.getByTestId('hex-type').fill('no_such_type')
  await page.getByTestId('hex-type').press('Enter')
  await expect(page.getByTestId('hex')).toContainText('knows no type or variable ‘no_such_type’')
  await page.getByTestId('hex-type').fill('task')
  await page.getByTestId('hex-type').press('Enter')
  await expect(page.getByTestId('hex-items')).toContainText('struct task')
})

test('in real mode the vectors are read as far pointers', async ({ start }) => {
  const { page } = await start({ files: [seed('p3.img')] })
  await expect(page.getByTestId('cpu')).toBeVisible()
  await page.keyboard.press('F6')
  await page.keyboard.press('Control+Shift+P')
  await page.getByRole('combobox').fill('panel: Bytes')
  await page.keyboard.press('Enter')
  await page.getByTestId('hex-goto').fill('b8000')
  await page.getByTestId('hex-goto').press('Enter')
  await expect(page.getByTestId('hex-said')).toContainText('b8000')
})

test('the CPU panel opens its MSRs, vectors and local APIC; an address in it leads to its bytes', async ({
  start,
}) => {
  const { page } = await start({ files: [guest('seedling/seedling.img')], width: 1440, height: 1100 })
  await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await page.keyboard.press('F6')
  const cpu = page.getByTestId('cpu')
  for (const part of ['Model-specific registers', 'FPU and vectors', 'Local APIC'])
    await cpu.getByText(part).click()
  await expect(cpu.getByTestId('msrs')).toContainText('lstar')
  await expect(cpu.getByTestId('vectors')).toContainText('xmm15')
  await cpu.getByRole('radio', { name: 'f64' }).click()
  await expect(cpu.getByTestId('apic')).toContainText('xAPIC')
  await page.screenshot({ path: join(shots, 'cpu-more-dark.png') })
  await accessible(page)
  await cpu.getByTestId('gdtr').getByRole('button').first().click()
  await expect(page.getByTestId('hex-said')).toContainText('null descriptor')
})
