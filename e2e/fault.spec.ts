// A triple fault is a state of the window that explains itself.
import { expect, guest, seed, serialLines, test } from './application'

test('the triple fault of the boot chain is told from its first exception on', async ({ start }) => {
  const { page } = await start({ files: [seed('triple-fault.img')] })
  await expect(page.getByTestId('fault')).toBeVisible()
  await expect
    .poll(() => serialLines(page))
    .toEqual(['Booting ...', 'Starting Stage2 ...', 'About to triple fault'])
  await expect(page.getByTestId('fault-sentence')).toContainText(
    'Selector 0x08 names a descriptor that is not present',
  )
  await expect(page.getByTestId('fault-sentence')).toContainText('IDTR still held the real-mode table')
  const steps = page.getByTestId('fault-chain').getByRole('listitem')
  await expect(steps.first()).toContainText('#NP segment not present, error code 0008')
  await expect(steps.first()).toContainText('0000:801D')
  await expect(steps.first()).toContainText('jmp')
  await expect(page.getByTestId('fault-chain')).toContainText('#GP')
  await expect(page.getByTestId('fault-chain')).toContainText('#DF')
  await expect(page.getByTestId('state')).toHaveText('triple fault')
  await expect(page.getByTestId('activity')).toHaveText('shutdown')
})

test('reset after a triple fault boots again, to the same end', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/unmapped-jump-32.img')] })
  await expect(page.getByTestId('fault')).toBeVisible()
  const sentence = await page.getByTestId('fault-sentence').textContent()
  const instructions = await page.getByTestId('instructions').textContent()
  await page.getByRole('button', { name: 'Reset and run again' }).click()
  await expect(page.getByTestId('fault-sentence')).toHaveText(sentence ?? '')
  await expect(page.getByTestId('instructions')).toHaveText(instructions ?? '')
})

test('a broken boot chain is told what it did wrong, with the evidence', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/broken-identity.img')] })
  const findings = page.getByTestId('findings').getByRole('listitem')
  await expect(findings.first()).toContainText('Paging went on, and the next instruction is not mapped')
  await expect(findings.first()).toContainText('not present')
})

test('a guest that spins for ever says so in the status bar', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/broken-spin.img')] })
  await expect(page.getByTestId('stuck')).toHaveText('spinning with interrupts off')
})

test('a guest that has halted for good says so in the status bar, one click from its code', async ({
  start,
}) => {
  const { page } = await start({ files: [seed('p5.img')] })
  await expect(page.getByTestId('stuck')).toHaveText('halted with interrupts off')
  await page.getByTestId('stuck').click()
  await expect(page.getByTestId('current-line')).toBeVisible()
})
