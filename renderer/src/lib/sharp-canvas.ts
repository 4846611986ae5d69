// A canvas in the display's own pixels, drawn on in CSS pixels.

/** @returns what to draw with, cleared; undefined while there is nothing to draw on. Width and height in CSS pixels. */
export function sharpContext(
  canvas: HTMLCanvasElement | null,
  { width, height }: { width: number; height: number },
): CanvasRenderingContext2D | undefined {
  const context = canvas?.getContext('2d')
  if (!canvas || !context || width < 8) return undefined
  const ratio = window.devicePixelRatio || 1
  canvas.width = Math.floor(width * ratio)
  canvas.height = Math.floor(height * ratio)
  context.scale(ratio, ratio)
  context.clearRect(0, 0, width, height)
  return context
}
