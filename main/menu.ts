// The application menu. What belongs to the machine acts on the focused window's document.
import { Menu, type MenuItemConstructorOptions, shell } from 'electron'
import type {
  MachineCommand,
  RecentFile,
  RemovableDrive,
  SampleGuest,
  Theme,
  WindowCommand,
} from '../preload/bridge'

export interface MenuState {
  /** Of the focused document; undefined when there is none. */
  machine: 'paused' | 'running' | 'stopped' | undefined
  /** Drives whose medium can be changed. */
  removable: RemovableDrive[]
  recent: RecentFile[]
  theme: Theme
}

export interface MenuActions {
  newWindow(): void
  choose(): void
  open(path: string): void
  sample(sample: SampleGuest): void
  lab(): void
  forgetRecent(): void
  machine(command: MachineCommand): void
  window(command: WindowCommand): void
  insert(slot: string): void
  eject(slot: string): void
  /** A shell of the host in the image's folder. */
  shell(): void
  theme(theme: Theme): void
}

const PANELS = [
  ['screen', 'Screen'],
  ['serial', 'Serial'],
  ['cpu', 'CPU'],
  ['cpus', 'CPUs'],
  ['climb', 'Climb'],
  ['code', 'Code'],
  ['memory', 'Memory map'],
  ['allocator', 'Allocator'],
  ['hex', 'Bytes'],
  ['events', 'Events'],
  ['interrupts', 'Interrupts'],
  ['pages', 'Page tables'],
  ['tlb', 'TLB'],
  ['terminal', 'Terminal'],
] as const

const PRESETS = [
  ['boot', 'Boot'],
  ['debug', 'Debug'],
  ['memory', 'Memory'],
  ['screen', 'Screen only'],
] as const

/** Builds the menu anew; cheap, and done when something in it changed. */
export function applyMenu(state: MenuState, actions: MenuActions) {
  Menu.setApplicationMenu(Menu.buildFromTemplate(template(state, actions)))
}

function template(state: MenuState, actions: MenuActions): MenuItemConstructorOptions[] {
  const mac = process.platform === 'darwin'
  const machine = (
    label: string,
    command: MachineCommand,
    accelerator: string,
    enabled: boolean,
  ): MenuItemConstructorOptions => ({
    label,
    accelerator,
    enabled,
    click: () => actions.machine(command),
  })
  const page = (label: string, command: WindowCommand, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    ...(accelerator === undefined ? {} : { accelerator }),
    click: () => actions.window(command),
  })
  const there = state.machine !== undefined
  const recent: MenuItemConstructorOptions[] = state.recent.map(({ path, name, folder, missing }) => ({
    label: `${name}  –  ${folder}`.replaceAll('&', '&&'),
    enabled: !missing,
    click: () => actions.open(path),
  }))
  return [
    ...(mac ? [{ role: 'appMenu' as const }] : []),
    {
      label: '&File',
      submenu: [
        { label: 'New Window', accelerator: 'CmdOrCtrl+N', click: () => actions.newWindow() },
        { label: 'Open…', accelerator: 'CmdOrCtrl+O', click: () => actions.choose() },
        {
          label: 'Open Recent',
          submenu: [
            ...(recent.length > 0 ? recent : [{ label: 'No recent files', enabled: false }]),
            { type: 'separator' },
            { label: 'Clear Recent', enabled: recent.length > 0, click: () => actions.forgetRecent() },
          ],
        },
        { label: 'Open the Sample “Seedling”', click: () => actions.sample('seedling') },
        { label: 'Open the Sample “First light”', click: () => actions.sample('first-light') },
        { label: 'Open the Sample “Kiln”, a Game', click: () => actions.sample('kiln') },
        { label: 'Open the Scheduler Lab', click: () => actions.lab() },
        { type: 'separator' },
        { ...page('Save Screenshot…', 'screenshot', 'CmdOrCtrl+Shift+S'), enabled: there },
        { ...page('Copy Screen as Text', 'copyScreen', 'CmdOrCtrl+Shift+C'), enabled: there },
        { type: 'separator' },
        page('Preferences…', 'preferences', 'CmdOrCtrl+Shift+,'),
        { type: 'separator' },
        { role: 'close' },
        ...(mac ? [] : [{ role: 'quit' as const }]),
      ],
    },
    { role: 'editMenu' },
    {
      label: '&Machine',
      submenu: [
        machine('Run', 'run', 'F5', state.machine === 'paused'),
        machine('Pause', 'pause', 'F6', state.machine === 'running'),
        machine('Step One Instruction', 'step', 'F11', state.machine === 'paused'),
        machine('Step All CPUs', 'stepAll', 'Shift+F11', state.machine === 'paused'),
        machine('Step Over', 'stepOver', 'F10', state.machine === 'paused'),
        { type: 'separator' },
        machine('Reset', 'reset', 'CmdOrCtrl+Shift+F5', there),
        {
          label: 'Press the Power Button',
          enabled: state.machine === 'running',
          click: () => actions.machine('powerButton'),
        },
        { ...page('Settings of the Machine…', 'settings', 'CmdOrCtrl+,'), enabled: there },
        { type: 'separator' },
        ...state.removable.map(({ slot, kind, medium }): MenuItemConstructorOptions => {
          const name = `${kind === 'cdrom' ? 'CD' : 'Floppy'} ${slot}`
          return {
            label: medium === '' ? `${name}: empty` : `${name}: ${medium}`.replaceAll('&', '&&'),
            submenu: [
              { label: medium === '' ? 'Insert…' : 'Change…', click: () => actions.insert(slot) },
              { label: 'Eject', enabled: medium !== '', click: () => actions.eject(slot) },
            ],
          }
        }),
        { type: 'separator' },
        {
          label: 'Open a Shell in the Image’s Folder',
          accelerator: 'CmdOrCtrl+`',
          enabled: there,
          click: () => actions.shell(),
        },
      ],
    },
    {
      label: '&View',
      submenu: [
        page('Command Palette…', 'palette', 'CmdOrCtrl+Shift+P'),
        { ...page('Go to an Address or Symbol…', 'places', 'CmdOrCtrl+P'), enabled: there },
        { type: 'separator' },
        { label: 'Panels', submenu: PANELS.map(([id, label]) => page(label, `show.${id}`)) },
        {
          label: 'Layout',
          submenu: [
            ...PRESETS.map(([id, label], i) => page(label, `preset.${id}`, `CmdOrCtrl+${i + 1}`)),
            { type: 'separator' },
            page('Reset Layout', 'resetLayout'),
          ],
        },
        {
          label: 'Theme',
          submenu: (['system', 'light', 'dark'] as const).map((theme) => ({
            label: { system: 'As the System', light: 'Light', dark: 'Dark' }[theme],
            type: 'radio' as const,
            checked: state.theme === theme,
            click: () => actions.theme(theme),
          })),
        },
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        { role: 'toggleDevTools', accelerator: 'CmdOrCtrl+Shift+I' },
      ],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        page('Show Me Around', 'tour'),
        {
          label: 'Intel’s Software Developer’s Manual',
          click: () => void shell.openExternal('https://www.intel.com/sdm'),
        },
      ],
    },
  ]
}
