// Everything that can be done by name: the command palette, the keys, what the menu asks for.
import type { MachineCommand, Theme, WindowCommand } from '../../../preload/bridge'
import { call, send } from '../bridge'
import { isPreset, PRESETS, type PresetId } from '../dock/presets'
import { usePlaces } from '../composables/use-places'
import { isPanel, PANEL_IDS, PANELS } from '../panels/info'
import { useDock } from '../stores/dock'
import { useDocument } from '../stores/document'
import { useMachine } from '../stores/machine'
import { useMachineSettings } from '../stores/machine-settings'
import { usePalette } from '../stores/palette'
import { usePreferences } from '../stores/preferences'
import { useScreenActions } from '../stores/screen-actions'
import { useTour } from '../tour/tour'
import { useSelection } from '../stores/selection'

export interface Command {
  id: string
  title: string
  /** As shown: 'Ctrl+Shift+P'. */
  keys?: string
  /** The keys are the terminal's when somebody types there. */
  outside?: boolean
  /** Makes sense now. */
  available(): boolean
  run(): void
}

/** Call in a component's setup. */
export function useCommands() {
  const documents = useDocument()
  const machine = useMachine()
  const dock = useDock()
  const palette = usePalette()
  const settings = useMachineSettings()
  const screen = useScreenActions()
  const preferences = usePreferences()
  const tour = useTour()
  const places = usePlaces()
  const selection = useSelection()
  const open = () => documents.view.kind === 'open'

  const machineCommand = (
    id: MachineCommand,
    title: string,
    keys: string,
    available: () => boolean,
  ): Command => ({ id, title, keys, available: () => open() && available(), run: () => machine.command(id) })

  const paused = () => machine.state === 'paused'
  const commands: Command[] = [
    machineCommand('run', 'Run', 'F5', paused),
    machineCommand('pause', 'Pause', 'F6', () => machine.running),
    machineCommand('step', 'Step one instruction', 'F11', paused),
    machineCommand('stepAll', 'Step all CPUs', 'Shift+F11', paused),
    machineCommand('stepOver', 'Step over', 'F10', paused),
    machineCommand('reset', 'Reset the machine', 'Ctrl+Shift+F5', () => true),
    {
      id: 'powerButton',
      title: 'Press the power button of the machine',
      available: () => open() && machine.running,
      run: () => machine.command('powerButton'),
    },
    {
      id: 'open',
      title: 'Open a disk image or a kernel…',
      keys: 'Ctrl+O',
      available: () => true,
      run: () => documents.choose(),
    },
    {
      id: 'sample',
      title: 'Open the sample “Seedling”',
      available: () => documents.hello?.hasSample ?? false,
      run: () => documents.openSample('seedling'),
    },
    {
      id: 'firstLight',
      title: 'Open the sample “First light”',
      available: () => documents.hello?.hasSample ?? false,
      run: () => documents.openSample('first-light'),
    },
    {
      id: 'kiln',
      title: 'Open the sample “Kiln”, a game',
      available: () => documents.hello?.hasSample ?? false,
      run: () => documents.openSample('kiln'),
    },
    {
      id: 'tour',
      title: 'Show me around',
      available: () => documents.hello?.hasSample ?? false,
      run: () => tour.begin(),
    },
    {
      id: 'preferences',
      title: 'Preferences…',
      keys: 'Ctrl+Shift+,',
      available: () => true,
      run: () => {
        preferences.open = true
      },
    },
    {
      id: 'sound',
      title: 'Mute the speakers of guests, or hear them again',
      available: () => preferences.value !== undefined,
      run: () => void preferences.change({ sound: !preferences.value?.sound }),
    },
    {
      id: 'lab',
      title: 'Open the scheduler lab',
      available: () => documents.hello?.hasSample ?? false,
      run: () => documents.openLab(),
    },
    {
      id: 'symbols',
      title: 'Choose a file with symbols…',
      available: open,
      run: () => send('symbols.choose'),
    },
    {
      id: 'lens',
      title: 'Choose a lens for the kernel…',
      available: open,
      run: () => void documents.attempt(call('lens.choose')),
    },
    {
      id: 'settings',
      title: 'Settings of the machine…',
      keys: 'Ctrl+,',
      available: open,
      run: () => {
        settings.open = true
      },
    },
    ...(['fda', 'fdb', 'hda', 'hdb', 'hdc', 'hdd'] as const).flatMap((slot) => {
      const drive = () => machine.status?.removable.find((drive) => drive.slot === slot)
      const what = `${slot.startsWith('fd') ? 'floppy' : 'CD'} drive ${slot}`
      const act = (name: 'drive.insert' | 'drive.eject') => () => void documents.attempt(call(name, slot))
      return [
        {
          id: `insert.${slot}`,
          title: `Put an image into ${what}…`,
          available: () => open() && drive() !== undefined,
          run: act('drive.insert'),
        },
        {
          id: `eject.${slot}`,
          title: `Eject ${what}`,
          available: () => open() && (drive()?.medium ?? '') !== '',
          run: act('drive.eject'),
        },
      ]
    }),
    { id: 'reveal', title: 'Show the image in its folder', available: open, run: () => documents.reveal() },
    {
      id: 'screenshot',
      title: 'Save a screenshot…',
      keys: 'Ctrl+Shift+S',
      available: open,
      run: screen.save,
    },
    {
      id: 'copyScreen',
      title: 'Copy the screen as text',
      keys: 'Ctrl+Shift+C',
      available: open,
      run: screen.copy,
    },
    ...PANEL_IDS.filter((id) => !PANELS[id].transient).map((id) => ({
      id: `show.${id}`,
      title: `Show panel: ${PANELS[id].title}`,
      available: open,
      run: () => dock.show(id),
    })),
    ...(Object.keys(PRESETS) as PresetId[]).map((id, i) => ({
      id: `preset.${id}`,
      title: `Layout: ${PRESETS[id]}`,
      keys: `Ctrl+${i + 1}`,
      available: open,
      run: () => dock.preset(id),
    })),
    { id: 'float', title: 'Float the panel, or dock it again', available: open, run: () => dock.float() },
    { id: 'resetLayout', title: 'Reset the layout', available: open, run: () => dock.preset('boot') },
    ...(['system', 'light', 'dark'] as const satisfies Theme[]).map((theme) => ({
      id: `theme.${theme}`,
      title: { system: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' }[theme],
      available: () => true,
      run: () => send('theme', theme),
    })),
    {
      id: 'places',
      title: 'Go to an address or a symbol…',
      keys: 'Ctrl+P',
      available: open,
      run: () => palette.toggle('places'),
    },
    {
      id: 'back',
      title: 'Go back to what was picked before',
      keys: 'Alt+ArrowLeft',
      outside: true,
      available: () => open() && selection.can.back,
      run: places.back,
    },
    {
      id: 'forward',
      title: 'Go forward again',
      keys: 'Alt+ArrowRight',
      outside: true,
      available: () => open() && selection.can.forward,
      run: places.forward,
    },
    {
      id: 'palette',
      title: 'Command palette',
      keys: 'Ctrl+Shift+P',
      available: () => true,
      run: () => palette.toggle(),
    },
  ]

  function run(id: string) {
    const command = commands.find((command) => command.id === id)
    if (command?.available()) command.run()
  }

  /** @param command as the menu names it */
  function fromMenu(command: WindowCommand) {
    const [verb, what] = command.split('.') as [string, string?]
    if (verb === 'preset' && what && isPreset(what)) dock.preset(what)
    else if (verb === 'show' && what && isPanel(what)) dock.show(what)
    else run(command)
  }

  return { commands, run, fromMenu }
}

/** 'Ctrl+Shift+F5' for an event; Command counts as Ctrl. */
export function keysOf(event: KeyboardEvent): string {
  const parts: string[] = []
  if (event.ctrlKey || event.metaKey) parts.push('Ctrl')
  if (event.altKey) parts.push('Alt')
  if (event.shiftKey) parts.push('Shift')
  parts.push(event.key.length === 1 ? event.key.toUpperCase() : event.key)
  return parts.join('+')
}
