// The console in the window's colours. Sixteen colours that stand off both backgrounds.
import type { ITheme } from '@xterm/xterm'
import { token } from '../composables/use-media'

const DARK: ITheme = {
  black: '#3a4452',
  red: '#ff7b7b',
  green: '#4bd591',
  yellow: '#f2bb55',
  blue: '#6aaeff',
  magenta: '#c79bff',
  cyan: '#3dd6c2',
  white: '#b4bdc9',
  brightBlack: '#7d8a9a',
  brightRed: '#ff9d9d',
  brightGreen: '#7ee6b1',
  brightYellow: '#ffd583',
  brightBlue: '#9ccaff',
  brightMagenta: '#dcc2ff',
  brightCyan: '#7fe8da',
  brightWhite: '#ffffff',
}

const LIGHT: ITheme = {
  black: '#151b24',
  red: '#b92622',
  green: '#0b7040',
  yellow: '#855200',
  blue: '#0a5fb8',
  magenta: '#7a3bb8',
  cyan: '#07706a',
  white: '#59646f',
  brightBlack: '#59646f',
  brightRed: '#a01c18',
  brightGreen: '#095c35',
  brightYellow: '#6d4300',
  brightBlue: '#084d96',
  brightMagenta: '#642c9c',
  brightCyan: '#055b56',
  brightWhite: '#151b24',
}

export function terminalTheme(): ITheme {
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches
  return {
    ...(dark ? DARK : LIGHT),
    background: token('--bg1') || (dark ? '#14181f' : '#ffffff'),
    foreground: token('--value') || (dark ? '#e7ebf1' : '#151b24'),
    cursor: token('--accent') || '#62bcff',
    cursorAccent: token('--bg1') || '#14181f',
    overviewRulerBorder: token('--bg1') || '#14181f',
    scrollbarSliderBackground: token('--bg4') || '#303a47',
    scrollbarSliderHoverBackground: token('--line-strong') || '#465365',
    scrollbarSliderActiveBackground: token('--line-strong') || '#465365',
    selectionBackground: dark ? '#2c5b80' : '#b8d7f5',
  }
}
