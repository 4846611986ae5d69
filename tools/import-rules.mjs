// Who may import whom. This is the table of ARCHITECTURE.md ("Folders") as data; tools/check-imports.mjs holds
// every file to it. What is not listed is forbidden.

/**
 * @typedef {object} Rule
 * @property {string} from the folder (of the project) that the rule is for; the longest match counts
 * @property {(string | { types: string })[]} may what its files may import: a folder of the project, a package,
 *   `node:` for Node's built-in modules, or one of these as `types` only
 * @property {string} why what the rule protects
 */

/** Packages that only tests import. */
export const TEST_PACKAGES = [
  'vitest',
  'fast-check',
  '@vue/test-utils',
  '@playwright/test',
  '@axe-core/playwright',
]

/** @type {Rule[]} */
export const RULES = [
  {
    from: 'emulator/core',
    may: ['emulator/core'],
    why: 'the core is WebAssembly: it knows the machine’s memory and the functions of its host, nothing else',
  },
  {
    from: 'emulator',
    may: ['emulator', 'assets', 'docs', 'node:', 'iced-x86'],
    why: 'the machine is usable from plain Node and knows nothing of Electron, Vue or windows; published schemas are held to',
  },
  {
    from: 'main',
    may: ['main', 'emulator', 'assets', { types: 'preload' }, 'node:', 'electron', 'node-pty', 'iced-x86'],
    why: 'the main process stands on the emulator and shares only the types of the bridge with the window',
  },
  {
    from: 'preload',
    may: ['preload', { types: 'emulator' }, { types: 'main' }, 'electron'],
    why: 'a sandboxed preload has no Node; it is the one typed bridge',
  },
  {
    from: 'renderer',
    may: [
      'renderer',
      'assets',
      { types: 'preload' },
      'vue',
      'pinia',
      'd3',
      'dockview-core',
      '@xterm/xterm',
      '@xterm/addon-fit',
      '@xterm/addon-search',
      '@fontsource/source-sans-3',
      '@fontsource/jetbrains-mono',
    ],
    why: 'the page draws; it has no Node and computes no machine state, so it knows the bridge’s types only',
  },
  {
    from: 'assets',
    may: ['assets', 'node:'],
    why: 'assets are data and the scripts that make them',
  },
  {
    from: 'bench',
    may: ['bench', 'emulator', 'tools', 'node:'],
    why: 'benchmarks measure the emulator as it is used',
  },
  {
    from: 'e2e',
    may: [
      'e2e',
      'emulator',
      'main',
      'preload',
      'renderer',
      'assets',
      'tools',
      'node:',
      'electron',
      ...TEST_PACKAGES,
    ],
    why: 'these tests drive the whole application',
  },
]

/**
 * Inside emulator/: what TypeScript may take from the core, which is another program: its compiled form, and the
 * files that hold plain integer constants. Everything else of the core is reached through its exports.
 */
export const CORE_FOR_TYPESCRIPT =
  /^emulator\/core\/(index\.ts\?asc|(.+[/-])?layout(\.ts)?|(vectors|testing|tests)\/.+)$/

/** Inside emulator/: nothing builds on the command line. */
export const TOP_OF_EMULATOR = 'emulator/cli'
