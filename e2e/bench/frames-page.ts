// Runs in the page: 2^20 frames, updated and drawn as the allocator panel does it.
import { type LayoutKind, layoutFor } from '../../renderer/src/panels/allocator/frame-layout'
import { heatPainter } from '../../renderer/src/panels/allocator/heat-painter'

const FRAMES = 2 ** 20

export interface Measured {
  painter: string
  /** ms of each round: laying the update over what was there, and drawing it to the last pixel. */
  update: number[]
  draw: number[]
}

/**
 * @param changes frames that change between two pictures, spread over all of memory
 * @param width of the picture in pixels
 */
export function measure(
  kind: LayoutKind,
  changes: number,
  rounds: number,
  width: number,
  height: number,
): Measured {
  const canvas = document.createElement('canvas')
  const painter = heatPainter(canvas, () => {})
  const shades = new Uint8Array(FRAMES).map((_, frame) => (frame * 7) % 23)
  const palette = new Uint32Array(256).map((_, shade) => 0xff000000 + shade * 0x0b0703)
  const layout = layoutFor(kind, 0, FRAMES, FRAMES, width, height)
  const at = Uint32Array.from({ length: changes }, (_, i) => Math.floor((i * FRAMES) / changes))
  const found: Measured = { painter: painter.kind, update: [], draw: [] }
  const gl = canvas.getContext('webgl2')
  const pixel = new Uint8Array(4)
  for (let round = 0; round < rounds + 2; round++) {
    const values = at.map((frame) => (frame + round) % 23)
    const began = performance.now()
    for (let i = 0; i < at.length; i++) shades[at[i]!] = values[i]!
    const updated = performance.now()
    painter.paint(
      {
        layout,
        shades,
        palette,
        background: 0xff151010,
        ...(at.length > 0 ? { changed: [at[0]!, at.at(-1)!] } : {}),
      },
      width,
      height,
    )
    // What has been drawn is only known when a pixel of it is read.
    gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel)
    const drawn = performance.now()
    // The first two make textures and compile the shader.
    if (round < 2) continue
    found.update.push(updated - began)
    found.draw.push(drawn - updated)
  }
  painter.dispose()
  return found
}
