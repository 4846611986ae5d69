// Paints a shade per frame as cells: by WebGL 2 where there is one, else by the processor. Both paint the same picture.
import { GAP_FROM } from '../memory/frame-grid'
import { type FrameLayout, frameAt } from './frame-layout'
/** Shades lie in a texture of so many columns: 2^20 of them fill 1024 rows. */
const TEXTURE_COLUMNS = 1024

export interface HeatPicture {
  layout: FrameLayout
  shades: Uint8Array
  /** Frames whose shade has changed since the last picture: first and last. */
  changed?: [number, number]
  /** By shade, bytes R G B A in memory order. */
  palette: Uint32Array
  background: number
}

/** Of the page, or handed over to a thread. */
export type AnyCanvas = HTMLCanvasElement | OffscreenCanvas

export interface HeatPainter {
  readonly kind: 'WebGL' | 'canvas'
  paint(picture: HeatPicture, width: number, height: number): void
  dispose(): void
}

/** @param lost hears that the graphics card has forgotten everything: make another painter on another canvas */
export function heatPainter(canvas: AnyCanvas, lost: () => void): HeatPainter {
  return webglPainter(canvas, lost) ?? canvasPainter(canvas)
}

/** @returns pixels of width * height */
export function paintCells(
  layout: FrameLayout,
  shades: Uint8Array,
  palette: Uint32Array,
  background: number,
  width: number,
  height: number,
): Uint32Array<ArrayBuffer> {
  const pixels = new Uint32Array(width * height).fill(background)
  const { cell, columns, rows } = layout
  const apart = cell >= GAP_FROM
  for (let y = 0; y < Math.min(height, Math.ceil(rows * cell)); y++)
    for (let x = 0; x < Math.min(width, Math.ceil(columns * cell)); x++) {
      const between = apart && (x % cell === cell - 1 || y % cell === cell - 1)
      if (!between) pixels[y * width + x] = meanOf(layout, shades, palette, background, x, y)
    }
  return pixels
}

function meanOf(
  layout: FrameLayout,
  shades: Uint8Array,
  palette: Uint32Array,
  background: number,
  x: number,
  y: number,
): number {
  const { step, cell } = layout
  const place = (pixel: number, part: number) => Math.floor((pixel + (part + 0.5) / step) / cell)
  let red = 0
  let green = 0
  let blue = 0
  for (let v = 0; v < step; v++)
    for (let u = 0; u < step; u++) {
      const frame = frameAt(layout, place(x, u), place(y, v))
      const colour = frame === undefined ? background : palette[shades[frame]!]!
      red += colour & 0xff
      green += (colour >>> 8) & 0xff
      blue += (colour >>> 16) & 0xff
    }
  const n = step * step
  return (
    (0xff000000 | (Math.floor(blue / n) << 16) | (Math.floor(green / n) << 8) | Math.floor(red / n)) >>> 0
  )
}

function canvasPainter(canvas: AnyCanvas): HeatPainter {
  const context = canvas.getContext('2d') as
    | CanvasRenderingContext2D
    | OffscreenCanvasRenderingContext2D
    | null
  return {
    kind: 'canvas',
    paint({ layout, shades, palette, background }, width, height) {
      resize(canvas, width, height)
      const pixels = paintCells(layout, shades, palette, background, width, height)
      context?.putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0)
    },
    dispose() {},
  }
}

const VERTEX = `#version 300 es
void main() {
  // One triangle that covers the picture.
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`
const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D shades;
uniform sampler2D palette;
uniform vec4 background;
uniform float cell;
uniform int height, step_, gap, columns, rows, start, shown, side, across;
out vec4 colour;

int hilbert(int x, int y) {
  int index = 0;
  for (int half_ = side >> 1; half_ > 0; half_ >>= 1) {
    int right = (x & half_) != 0 ? 1 : 0;
    int down = (y & half_) != 0 ? 1 : 0;
    index += half_ * half_ * ((3 * right) ^ down);
    if (down == 0) {
      if (right == 1) { x = side - 1 - x; y = side - 1 - y; }
      int t = x; x = y; y = t;
    }
  }
  return index;
}

vec4 at(int column, int row) {
  if (column >= columns || row >= rows) return background;
  int n = row * columns + column;
  if (side > 0) n = ((row / side) * across + column / side) * side * side + hilbert(column % side, row % side);
  if (n >= shown) return background;
  int frame = start + n;
  uint shade = texelFetch(shades, ivec2(frame % ${TEXTURE_COLUMNS}, frame / ${TEXTURE_COLUMNS}), 0).r;
  return texelFetch(palette, ivec2(int(shade), 0), 0);
}

void main() {
  ivec2 p = ivec2(int(gl_FragCoord.x), height - 1 - int(gl_FragCoord.y));
  if (gap == 1) {
    int whole = int(cell);
    ivec2 c = p / whole;
    ivec2 inside = p - c * whole;
    colour = inside.x == whole - 1 || inside.y == whole - 1 ? background : at(c.x, c.y);
    return;
  }
  vec4 sum = vec4(0.0);
  for (int v = 0; v < step_; v++) for (int u = 0; u < step_; u++) {
    vec2 place = (vec2(p) + (vec2(u, v) + 0.5) / float(step_)) / cell;
    sum += at(int(place.x), int(place.y));
  }
  colour = sum / float(step_ * step_);
}`
const UNIFORMS = [
  'shades',
  'palette',
  'background',
  'height',
  'cell',
  'step_',
  'gap',
  'columns',
  'rows',
  'start',
  'shown',
  'side',
  'across',
] as const

function webglPainter(canvas: AnyCanvas, lost: () => void): HeatPainter | undefined {
  const gl = canvas.getContext('webgl2', {
    antialias: false,
    depth: false,
    alpha: false,
  }) as WebGL2RenderingContext | null
  if (!gl) return undefined
  const program = programOf(gl)
  if (!program) return undefined
  const at = Object.fromEntries(
    UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]),
  ) as Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>
  const texture = (unit: number) => {
    const made = gl.createTexture()
    gl.activeTexture(gl.TEXTURE0 + unit)
    gl.bindTexture(gl.TEXTURE_2D, made)
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST)
    return made
  }
  const shadeTexture = texture(0)
  const paletteTexture = texture(1)
  gl.useProgram(program)
  gl.uniform1i(at.shades, 0)
  gl.uniform1i(at.palette, 1)
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1)
  let size = -1
  let padded = new Uint8Array(0)
  const onLost = (event: Event) => {
    event.preventDefault()
    lost()
  }
  canvas.addEventListener('webglcontextlost', onLost)

  /** Only the rows with what has changed go to the card. */
  function upload(shades: Uint8Array, changed: [number, number] | undefined) {
    const rows = Math.ceil(shades.length / TEXTURE_COLUMNS)
    gl!.activeTexture(gl!.TEXTURE0)
    if (shades.length !== size) {
      size = shades.length
      padded = new Uint8Array(rows * TEXTURE_COLUMNS)
      padded.set(shades)
      gl!.texImage2D(
        gl!.TEXTURE_2D,
        0,
        gl!.R8UI,
        TEXTURE_COLUMNS,
        rows,
        0,
        gl!.RED_INTEGER,
        gl!.UNSIGNED_BYTE,
        padded,
      )
      return
    }
    if (!changed) return
    const first = Math.floor(changed[0] / TEXTURE_COLUMNS)
    const last = Math.min(rows - 1, Math.floor(changed[1] / TEXTURE_COLUMNS))
    if (last < first) return
    const from = first * TEXTURE_COLUMNS
    const to = (last + 1) * TEXTURE_COLUMNS
    padded.set(shades.subarray(from, Math.min(to, shades.length)), from)
    const part = padded.subarray(from, to)
    gl!.texSubImage2D(
      gl!.TEXTURE_2D,
      0,
      0,
      first,
      TEXTURE_COLUMNS,
      last - first + 1,
      gl!.RED_INTEGER,
      gl!.UNSIGNED_BYTE,
      part,
    )
  }

  return {
    kind: 'WebGL',
    paint({ layout, shades, changed, palette, background }, width, height) {
      resize(canvas, width, height)
      gl.viewport(0, 0, width, height)
      upload(shades, changed)
      gl.activeTexture(gl.TEXTURE1)
      const bytes = new Uint8Array(palette.buffer, palette.byteOffset, 1024)
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes)
      const part = (shift: number) => ((background >>> shift) & 0xff) / 255
      gl.uniform4f(at.background, part(0), part(8), part(16), 1)
      const { cell, step, columns, rows, start, side, across } = layout
      const shown = Math.min(layout.shown, shades.length - start)
      const values = {
        height,
        step_: step,
        gap: cell >= GAP_FROM ? 1 : 0,
        columns,
        rows,
        start,
        shown,
        side,
        across,
      }
      gl.uniform1f(at.cell, cell)
      for (const [name, value] of Object.entries(values)) gl.uniform1i(at[name as keyof typeof values], value)
      gl.drawArrays(gl.TRIANGLES, 0, 3)
    },
    dispose() {
      canvas.removeEventListener('webglcontextlost', onLost)
      gl.deleteTexture(shadeTexture)
      gl.deleteTexture(paletteTexture)
      gl.deleteProgram(program)
      gl.getExtension('WEBGL_lose_context')?.loseContext()
    },
  }
}

function programOf(gl: WebGL2RenderingContext): WebGLProgram | undefined {
  const program = gl.createProgram()
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type)
    if (!shader) return undefined
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) {
      console.warn(`the heatmap’s shader does not compile: ${gl.getShaderInfoLog(shader)}`)
      return undefined
    }
    gl.attachShader(program, shader)
  }
  gl.linkProgram(program)
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : undefined
}

function resize(canvas: AnyCanvas, width: number, height: number) {
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}
