// A game in the window: its speaker is heard and told, a click mutes it, and the power button switches it off.
import { expect, guest, shots, test } from './application'

test('Kiln: the welcome page opens it; it is heard, played, muted and switched off', async ({ start }) => {
  const { page } = await start()
  await page.getByTestId('kiln').click()
  await expect(page.getByTestId('name')).toHaveText('kiln.img')
  const speaker = page.getByTestId('speaker')
  await expect(speaker).toContainText(/\d+ Hz/)
  await page.screenshot({ path: `${shots}/kiln-title.png` })
  await page.getByTestId('screen').focus()
  await page.keyboard.press('Space', { delay: 100 })
  await page.waitForTimeout(1500)
  await page.keyboard.press('Space', { delay: 100 })
  await expect(speaker).toContainText(/\d+ Hz/)
  await page.keyboard.down('ArrowLeft')
  await page.waitForTimeout(200)
  await page.keyboard.up('ArrowLeft')
  await page.screenshot({ path: `${shots}/kiln.png` })
  await expect(speaker).toHaveAttribute('aria-pressed', 'true')
  await page.keyboard.press('Control+Alt+KeyG')
  await speaker.click()
  await expect(speaker).toHaveAttribute('aria-pressed', 'false')
  await expect(speaker).toContainText('muted')
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type('power button')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('state')).toContainText('powered off')
})

test('what the guest plays goes to the sound device, one piece behind the other', async ({ start }) => {
  const { page } = await start({ files: [guest('kiln/kiln.img')] })
  await expect(page.getByTestId('speaker')).toContainText(/\d+ Hz/)
  const heard = await page.evaluate(async () => {
    const pieces: { at: number; length: number; loudest: number }[] = []
    const begin = AudioBufferSourceNode.prototype.start
    AudioBufferSourceNode.prototype.start = function (at = 0) {
      const samples = this.buffer!.getChannelData(0)
      pieces.push({ at, length: samples.length / this.buffer!.sampleRate, loudest: Math.max(...samples) })
      begin.call(this, at)
    }
    await new Promise((done) => setTimeout(done, 3000))
    AudioBufferSourceNode.prototype.start = begin
    return pieces
  })
  expect(heard.length).toBeGreaterThan(5)
  expect(Math.max(...heard.map(({ loudest }) => loudest))).toBeGreaterThan(0.3)
  // No two at once
  for (const [i, { at }] of heard.entries()) {
    const before = heard[i - 1]
    if (before) expect(at).toBeGreaterThanOrEqual(before.at + before.length - 1e-6)
  }
})
