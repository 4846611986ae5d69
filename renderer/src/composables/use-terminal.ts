// A terminal in a panel: its face, its size, search, copying, and its last lines as plain text for readers by ear.
import '@xterm/xterm/css/xterm.css'
import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { Terminal } from '@xterm/xterm'
import { nextTick, onBeforeUnmount, onMounted, reactive, type ShallowRef, watch } from 'vue'
import { send } from '../bridge'
import { count } from '../lib/format'
import type { ChunkSink } from '../lib/chunk-queue'
import { terminalTheme } from '../panels/terminal-theme'
import { useElementSize } from './use-element-size'
import { useDark } from './use-media'

export interface TerminalOptions {
  host: Readonly<ShallowRef<HTMLElement | null>>
  /** For readers by ear. */
  label: () => string
  onType(text: string): void
  /** The last lines, whenever they changed. */
  onText(text: string): void
  onResize?(columns: number, rows: number): void
  /** The terminal is in the page. */
  onReady(): void
}

/** Lines that are told as text; the terminal itself draws only what is in view. */
const TEXT_LINES = 200

const decorations = {
  matchBackground: '#7a5c10',
  activeMatchBackground: '#c98a00',
  matchOverviewRuler: '#f0b64a',
  activeMatchColorOverviewRuler: '#f0b64a',
}

/** Call in a component's setup; it disposes of itself. */
export function useTerminal(options: TerminalOptions) {
  const dark = useDark()
  const size = useElementSize(options.host)
  const terminal = new Terminal({
    fontFamily: '"JetBrains Mono", monospace',
    fontSize: 12,
    lineHeight: 1.25,
    scrollback: 10_000,
    cursorStyle: 'bar',
    cursorInactiveStyle: 'none',
    overviewRuler: { width: 10 },
    allowProposedApi: true,
    theme: terminalTheme(),
  })
  const fit = new FitAddon()
  const addon = new SearchAddon()
  terminal.loadAddon(fit)
  terminal.loadAddon(addon)
  terminal.onData((text) => options.onType(text))
  terminal.onBinary((text) => options.onType(text))
  terminal.onResize(({ cols, rows }) => options.onResize?.(cols, rows))

  const search = reactive({
    open: false,
    wanted: '',
    found: '',
    async begin() {
      search.open = true
      await nextTick()
    },
    end() {
      search.open = false
      search.found = ''
      addon.clearDecorations()
      terminal.focus()
    },
    next: () => addon.findNext(search.wanted, { decorations }),
    previous: () => addon.findPrevious(search.wanted, { decorations }),
  })
  addon.onDidChangeResults(({ resultIndex, resultCount }) => {
    search.found = resultCount === 0 ? 'nothing' : `${resultIndex + 1} of ${resultCount}`
  })
  watch(
    () => search.wanted,
    (wanted) =>
      wanted === '' ? addon.clearDecorations() : addon.findNext(wanted, { incremental: true, decorations }),
  )

  terminal.attachCustomKeyEventHandler((event) => {
    if (event.type !== 'keydown' || !event.ctrlKey) return true
    if (event.shiftKey && event.code === 'KeyF') {
      void search.begin()
      return false
    }
    // Ctrl+C is the other side's unless something is selected, as in other terminals.
    if (event.code === 'KeyC' && terminal.hasSelection()) {
      send('clipboard.text', terminal.getSelection())
      terminal.clearSelection()
      return false
    }
    return true
  })

  let textTimer = 0
  function plainText() {
    if (textTimer !== 0) return
    textTimer = window.setTimeout(() => {
      textTimer = 0
      const buffer = terminal.buffer.active
      const end = buffer.baseY + buffer.cursorY + 1
      const lines: string[] = []
      for (let line = Math.max(0, end - TEXT_LINES); line < end; line++)
        lines.push(buffer.getLine(line)?.translateToString(true) ?? '')
      options.onText(lines.join('\n'))
    }, 120)
  }

  const sink: ChunkSink = {
    write({ skipped, bytes }, done) {
      if (skipped > 0)
        terminal.write(`\r\n\x1b[33m… ${count(skipped)} bytes came faster than can be shown …\x1b[0m\r\n`)
      terminal.write(bytes, () => {
        done()
        plainText()
      })
    },
    clear() {
      terminal.reset()
      plainText()
    },
  }

  watch(size, () => size.width > 40 && size.height > 20 && fit.fit())
  watch(dark, () => {
    terminal.options.theme = terminalTheme()
  })
  watch(options.label, (label) => terminal.textarea?.setAttribute('aria-label', label))

  onMounted(async () => {
    await document.fonts.ready
    const host = options.host.value
    if (!host) return
    terminal.open(host)
    terminal.textarea?.setAttribute('aria-label', options.label())
    if (size.width > 40) fit.fit()
    options.onReady()
  })
  onBeforeUnmount(() => {
    window.clearTimeout(textTimer)
    terminal.dispose()
  })

  /** Clears what is shown; the other side does not notice. */
  function clear() {
    terminal.clear()
    plainText()
  }

  return { terminal, search, sink, clear }
}
