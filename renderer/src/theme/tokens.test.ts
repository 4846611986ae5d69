// Contrast of every text colour on every surface it is used on (WCAG 2.1, 1.4.3): at least 4.5:1, in both themes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const css = readFileSync(join(__dirname, 'tokens.css'), 'utf8')
const [darkBlock = '', lightBlock = ''] = css.split('@media (prefers-color-scheme: light)')

function tokens(block: string): Record<string, string> {
  return Object.fromEntries(
    [...block.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6})\b/g)].map(([, name, value]) => [name, value]),
  )
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

const TEXT = ['--value', '--word', '--label', '--accent', '--run', '--warn', '--bad', '--ring0', '--ring3']
const SURFACES = ['--bg0', '--bg1', '--bg2']

describe.each([
  ['dark', tokens(darkBlock)],
  ['light', { ...tokens(darkBlock), ...tokens(lightBlock) }],
])('%s', (_name, theme) => {
  test.each(TEXT.flatMap((text) => SURFACES.map((surface) => [text, surface] as const)))(
    '%s on %s',
    (text, surface) => {
      expect(contrast(theme[text]!, theme[surface]!)).toBeGreaterThanOrEqual(4.5)
    },
  )

  test('what floats and what is chosen is legible, too', () => {
    for (const text of ['--value', '--word', '--label']) {
      expect(contrast(theme[text]!, theme['--bg3']!)).toBeGreaterThanOrEqual(4.5)
    }
    expect(contrast(theme['--on-accent']!, theme['--accent']!)).toBeGreaterThanOrEqual(4.5)
  })

  test('the kinds of memory differ in lightness, so that greyscale keeps their order', () => {
    const kinds = ['--memory-free', '--memory-touched', '--memory-written', '--memory-executed']
    const steps = kinds.map((kind) => luminance(theme[kind]!))
    const sorted = [...steps].sort((a, b) => a - b)
    expect([sorted, [...sorted].reverse()]).toContainEqual(steps)
    expect(contrast(theme['--memory-free']!, theme['--memory-written']!)).toBeGreaterThan(2)
  })
})
