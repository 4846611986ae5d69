// Paints frames on a thread of their own: WebGL makes whoever draws wait for the graphics, on a busy computer with software
// graphics for hundreds of milliseconds, and the page would answer nobody meanwhile.
import type { FromPainter, HeatOrder, ToPainter } from './heat-messages'
import { type HeatPainter, heatPainter } from './heat-painter'

let painter: HeatPainter | undefined
let shades = new Uint8Array(0)

const tell = (message: FromPainter) => postMessage(message)

addEventListener('message', ({ data }: MessageEvent<ToPainter>) => {
  if (data.kind === 'canvas') {
    painter = heatPainter(data.canvas, () => tell({ kind: 'lost' }))
    tell({ kind: 'ready', painter: painter.kind })
  } else paint(data.order)
})

function paint({ layout, palette, background, width, height, total, first, values }: HeatOrder) {
  const began = performance.now()
  if (shades.length !== total) shades = new Uint8Array(total)
  shades.set(values, first)
  const changed: [number, number] = [first, first + values.length - 1]
  painter?.paint(
    { layout, shades, palette, background, ...(values.length > 0 ? { changed } : {}) },
    width,
    height,
  )
  tell({ kind: 'painted', ms: performance.now() - began })
}
