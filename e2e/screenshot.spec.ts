import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, guest, test } from './application'

type Colour = [red: number, green: number, blue: number]

/** The sixteen colours of the BIOS, as IBM's colour display had them. */
const SIXTEEN: Colour[] = Array.from({ length: 16 }, (_, i) => {
  const bright = i & 8 ? 85 : 0
  const channel = (bit: number) => (i & bit ? 170 : 0) + bright
  return i === 6 ? [170, 85, 0] : [channel(4), channel(2), channel(1)]
})
/** Six bits of the DAC as eight. */
const eight = (value: number) => (value << 2) | (value >> 4)

/** What graphics.asm draws, one after the other. */
const MODES: [
  said: string,
  described: string,
  width: number,
  height: number,
  (x: number, y: number) => Colour,
][] = [
  ['Bars', 'Graphics, 640 × 480, 16 colours', 640, 480, (x) => SIXTEEN[Math.floor(x / 40)]!],
  [
    'Mode X',
    'Graphics, 320 × 240, 256 colours',
    320,
    240,
    (x, y) => {
      const i = (x + y) & 255
      return [eight(i >> 2), eight(63 - (i >> 2)), eight((i & 3) * 21)]
    },
  ],
  ['VBE', 'Graphics, 640 × 480, 32 bits a pixel', 640, 480, (x, y) => [x & 255, y & 255, (x ^ y) & 255]],
]

test('the screenshot of each graphics mode is the picture, dot by dot', async ({ start }) => {
  const folder = await mkdtemp(join(tmpdir(), 'ringside-screenshot-'))
  const file = join(folder, 'screen.png')
  const { app, page } = await start({ files: [guest('tests/graphics.img')] })
  await app.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath })
  }, file)
  /** Size and colours of the file that is saved now. */
  const saved = async () => {
    await rm(file, { force: true })
    await page.keyboard.press('Control+Shift+S')
    let png: Buffer | undefined
    await expect
      .poll(async () =>
        (png = await readFile(file).catch(() => undefined))?.subarray(-8, -4).toString('latin1'),
      )
      .toBe('IEND')
    const { width, height, pixels } = await page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!
      context.drawImage(bitmap, 0, 0)
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height)
      let text = ''
      for (let at = 0; at < data.length; at += 0x4000)
        text += String.fromCharCode(...data.subarray(at, at + 0x4000))
      return { width: bitmap.width, height: bitmap.height, pixels: btoa(text) }
    }, png!.toString('base64'))
    return { width, height, data: Buffer.from(pixels, 'base64') }
  }
  for (const [said, described, width, height, colour] of MODES) {
    await expect(page.getByTestId('serial-text')).toContainText(said)
    await expect(page.getByTestId('screen-text')).toHaveText(described)
    await expect
      .poll(async () => {
        const shot = await saved()
        let wrong = shot.width === width && shot.height === height ? 0 : -1
        for (let y = 0; wrong >= 0 && y < height; y++)
          for (let x = 0; x < width; x++) {
            const at = (y * width + x) * 4
            if (colour(x, y).some((value, channel) => shot.data[at + channel] !== value)) wrong++
          }
        return wrong
      })
      .toBe(0)
    await page.getByTestId('screen').click()
    await page.keyboard.press('Space')
    await page.keyboard.press('Control+Alt+g')
  }
  await rm(folder, { recursive: true, force: true })
})
