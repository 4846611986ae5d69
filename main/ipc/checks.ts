// Checks of what comes from the page. Each answers the value with its type or throws an Error that names what was
// wrong; nothing is coerced.
import { ALL_CLASSES } from '@emulator/insight/events/event-table'
import { COLOURS } from '@emulator/insight/frames/frame-observer'
import type {
  Calls,
  CallName,
  Interest,
  LabPlan,
  MachineCommand,
  SpaceSide,
  Theme,
} from '../../preload/bridge'
import { checkSettings } from '../documents/machine-settings'
import { checkPreferences } from '../preferences'

export type Check<T> = (value: unknown) => T

/** @param what the argument, as the error should call it */
function wrong(what: string, expected: string, value: unknown): never {
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  throw new TypeError(`${what} must be ${expected}, not ${got}`)
}

export const text =
  (what: string, max: number): Check<string> =>
  (value) => {
    if (typeof value !== 'string') wrong(what, 'text', value)
    if (value.length > max) throw new RangeError(`${what} is longer than ${max} characters`)
    return value
  }

export const path: Check<string> = (value) => {
  const found = text('a path', 4096)(value)
  if (found === '' || found.includes('\0')) throw new TypeError('a path must not be empty or contain NUL')
  return found
}

export const flag =
  (what: string): Check<boolean> =>
  (value) =>
    typeof value === 'boolean' ? value : wrong(what, 'true or false', value)

export const integer =
  (what: string, min: number, max: number): Check<number> =>
  (value) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) wrong(what, 'a whole number', value)
    if (value < min || value > max) throw new RangeError(`${what} must be ${min} to ${max}, not ${value}`)
    return value
  }

export const oneOf =
  <const T extends string>(what: string, allowed: readonly T[]): Check<T> =>
  (value) => {
    if (!allowed.includes(value as T)) wrong(what, `one of ${allowed.join(', ')}`, value)
    return value as T
  }

export const bytes =
  (what: string, max: number): Check<Uint8Array> =>
  (value) => {
    if (!(value instanceof Uint8Array)) wrong(what, 'bytes', value)
    if (value.length > max) throw new RangeError(`${what} is larger than ${max} bytes`)
    return value
  }

function record(what: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(what, 'an object', value)
  return value as Record<string, unknown>
}

const serialPort = integer('a serial port', 0, 3)
const terminalSize = (what: string) => integer(what, 1, 1000)

/** Most lines of code that a window can show at a time. */
export const CODE_LINES_MAX = 256

export const interest: Check<Interest> = (value) => {
  const given = record('interest', value)
  const show = (name: string) => flag(`interest.${name}`)(given[name])
  return {
    screen: show('screen'),
    serial: given['serial'] === false ? false : serialPort(given['serial']),
    shell: show('shell'),
    cpu: show('cpu'),
    details: show('details'),
    chosen: integer('interest.chosen', 0, 15)(given['chosen']),
    memory: show('memory'),
    code: given['code'] === false ? false : codeInterest(given['code']),
    tlb: given['tlb'] === false ? false : integer('a CPU', 0, 15)(given['tlb']),
    allocator:
      given['allocator'] === false ? false : oneOf('interest.allocator', COLOURS)(given['allocator']),
    shootdowns: show('shootdowns'),
    interrupts: given['interrupts'] === false ? false : interruptsInterest(given['interrupts']),
    cpus: show('cpus'),
    events: given['events'] === false ? false : eventsInterest(given['events']),
    pages: given['pages'] === false ? false : pagesInterest(given['pages']),
    hex: given['hex'] === false ? false : hexInterest(given['hex']),
  }
}

const hexDigits = (what: string): Check<string> => {
  const short = text(what, 16)
  return (value) => {
    const digits = short(value)
    if (!/^[0-9a-f]{1,16}$/i.test(digits)) throw new TypeError(`${what} must be hexadecimal digits`)
    return digits
  }
}

function pagesInterest(value: unknown): Exclude<Interest['pages'], false> {
  const given = record('interest.pages', value)
  const { changes: list } = given
  if (!Array.isArray(list)) wrong('interest.pages.changes', 'an array', list)
  if (list.length > 5) throw new RangeError('interest.pages.changes has more than 5 levels')
  const changes = list.map((item) => {
    const change = record('interest.pages.changes', item)
    return {
      level: integer('interest.pages.changes.level', 1, 5)(change['level']),
      bits: hexDigits('interest.pages.changes.bits')(change['bits']),
    }
  })
  if (given['at'] === undefined) return { changes }
  return { at: hexDigits('interest.pages.at')(given['at']), changes }
}

/** Most rows of memory that a window can show at a time. */
const HEX_ROWS_MAX = 256
const memorySpace = oneOf('a memory space', ['linear', 'physical'])

function hexInterest(value: unknown): Exclude<Interest['hex'], false> {
  const given = record('interest.hex', value)
  return {
    space: memorySpace(given['space']),
    at: hexDigits('interest.hex.at')(given['at']),
    rows: integer('interest.hex.rows', 1, HEX_ROWS_MAX)(given['rows']),
    overlay: given['overlay'] === false ? false : overlayInterest(given['overlay']),
  }
}

function overlayInterest(value: unknown): Exclude<Exclude<Interest['hex'], false>['overlay'], false> {
  const given = record('interest.hex.overlay', value)
  if (given['auto'] === true) return { auto: true }
  return {
    type: text('interest.hex.overlay.type', 512)(given['type']),
    base: hexDigits('interest.hex.overlay.base')(given['base']),
  }
}

function eventsInterest(value: unknown): Exclude<Interest['events'], false> {
  const given = record('interest.events', value)
  const wish: Exclude<Interest['events'], false> = {
    classes: integer('interest.events.classes', 0, ALL_CLASSES)(given['classes']),
    rows: integer('interest.events.rows', 1, 500)(given['rows']),
  }
  if (given['at'] !== undefined) wish.at = integer('interest.events.at', 0, 2 ** 40)(given['at'])
  if (given['cpu'] !== undefined) wish.cpu = integer('interest.events.cpu', 0, 15)(given['cpu'])
  for (const end of ['from', 'to'] as const) {
    const time = given[end]
    if (time === undefined) continue
    if (typeof time !== 'number' || !(time >= 0 && time < 1e12))
      throw new TypeError(`interest.events.${end} must be a time in ms`)
    wish[end] = time
  }
  return wish
}

/** As many ways of interrupts as are told apart. */
const WAYS_MAX = 1024

function interruptsInterest(value: unknown): Exclude<Interest['interrupts'], false> {
  const given = record('interest.interrupts', value)
  const way = integer('interest.interrupts.ways', 0, Number.MAX_SAFE_INTEGER)
  return { ways: list('interest.interrupts.ways', WAYS_MAX, way)(given['ways']) }
}

function codeInterest(value: unknown): Exclude<Interest['code'], false> {
  const given = record('interest.code', value)
  const lines = integer('interest.code.lines', 1, CODE_LINES_MAX)(given['lines'])
  const before = integer('interest.code.before', 0, CODE_LINES_MAX)(given['before'])
  if (given['at'] === undefined) return { lines, before }
  const at = hexDigits('interest.code.at')(given['at'])
  const { bits } = given
  if (bits === undefined) return { lines, before, at }
  if (bits !== 16 && bits !== 32 && bits !== 64) wrong('interest.code.bits', '16, 32 or 64', bits)
  return { lines, before, at, bits }
}

/** A list of up to `max` things. */
export const list =
  <T>(what: string, max: number, each: Check<T>): Check<T[]> =>
  (value) => {
    if (!Array.isArray(value)) wrong(what, 'a list', value)
    if (value.length > max) throw new RangeError(`${what} has more than ${max} parts`)
    return value.map(each)
  }

/** Most tasks of the scheduler lab's page. */
const LAB_TASKS_MAX = 64

const labPlan: Check<LabPlan> = (value) => {
  const given = record('a plan', value)
  const whole = (from: Record<string, unknown>, name: string, min: number, max: number) =>
    integer(name, min, max)(from[name])
  return {
    scheduler: text('a scheduler', 32)(given['scheduler']),
    quantum: whole(given, 'quantum', 1, 10_000),
    sleep: whole(given, 'sleep', 1, 10_000),
    boost: whole(given, 'boost', 0, 1_000_000),
    tasks: list('tasks', LAB_TASKS_MAX, (each: unknown) => {
      const task = record('a task', each)
      return {
        program: whole(task, 'program', 0, LAB_TASKS_MAX - 1),
        arrival: whole(task, 'arrival', 0, 10_000),
        priority: whole(task, 'priority', -1000, 1000),
      }
    })(given['tasks']),
  }
}

const spaceSide: Check<SpaceSide> = (value) => {
  const given = record('a space', value)
  if (given['moment'] !== undefined) return { moment: oneOf('a moment', ['rest', 'asked'])(given['moment']) }
  return { cr3: hexDigits('a space’s CR3')(given['cr3']) }
}

const MACHINE_COMMANDS = [
  'run',
  'pause',
  'step',
  'stepAll',
  'stepOver',
  'reset',
  'powerButton',
] as const satisfies MachineCommand[]
const THEMES = ['system', 'light', 'dark'] as const satisfies Theme[]

/** A key has a code of the UI Events specification: letters and digits. */
const keyCode: Check<string> = (value) => {
  const code = text('a key code', 32)(value)
  if (!/^[A-Za-z0-9]+$/.test(code)) throw new TypeError('a key code consists of letters and digits')
  return code
}

/** A panel layout as the page saved it; the main process does not look into it. */
export const layout = text('a layout', 1 << 16)

type Checks<Args extends unknown[]> = { [I in keyof Args]: Check<Args[I]> }
type Arguments = { [Name in CallName]: Checks<Parameters<Calls[Name]>> }

/** For every call, the checks of its arguments. What is not listed here cannot be called. */
export const ARGUMENTS: Arguments = {
  hello: [],
  'document.open': [path],
  'document.choose': [],
  'document.sample': [oneOf('a sample', ['seedling', 'first-light', 'kiln'])],
  'tour.taken': [],
  'preferences.set': [checkPreferences],
  associated: [],
  'associated.set': [flag('associated')],
  'layouts.forget': [],
  'document.reveal': [],
  'recent.forget': [path],
  'symbols.choose': [],
  'lab.sample': [],
  'lab.run': [labPlan],
  'lab.save': [labPlan],
  'lab.add': [list('paths', LAB_TASKS_MAX, path)],
  'settings.save': [checkSettings],
  'settings.start': [checkSettings],
  'settings.file': [oneOf('a file', ['initrd', 'disk', 'cdrom', 'floppy'])],
  schedule: [oneOf('a schedule', ['deterministic', 'parallel'])],
  'drive.insert': [text('a drive', 8)],
  'drive.eject': [text('a drive', 8)],
  machine: [oneOf('a command', MACHINE_COMMANDS)],
  'serial.input': [serialPort, text('input', 1 << 20)],
  'serial.device': [serialPort, flag('on')],
  'shell.open': [terminalSize('columns'), terminalSize('rows')],
  'shell.input': [text('input', 1 << 20)],
  'shell.resize': [terminalSize('columns'), terminalSize('rows')],
  key: [keyCode, flag('pressed')],
  mouse: [
    integer('dx', -4096, 4096),
    integer('dy', -4096, 4096),
    integer('the wheel', -64, 64),
    integer('buttons', 0, 31),
  ],
  capture: [flag('capture')],
  interest: [interest],
  'climb.account': [],
  'memory.frame': [integer('a frame', 0, 2 ** 20 - 1)],
  'memory.bytes': [memorySpace, hexDigits('an address'), integer('a length', 1, 4096)],
  'memory.locate': [memorySpace, hexDigits('an address')],
  'spaces.choices': [],
  'spaces.read': [(value) => (value === '' ? '' : hexDigits('a space’s CR3')(value))],
  'spaces.remember': [],
  'spaces.difference': [spaceSide, spaceSide],
  'allocator.slabs': [integer('a cache', 0, 2 ** 16)],
  'allocator.structure': [integer('an allocator', 0, 255)],
  'lens.guess': [integer('a guess', 0, 15)],
  'lens.choose': [],
  'memory.search': [memorySpace, hexDigits('an address'), bytes('a pattern', 256)],
  'memory.write': [memorySpace, hexDigits('an address'), bytes('bytes to write', 4096)],
  'symbols.find': [text('a name', 256)],
  'work.cancel': [integer('a number of some work', 0, Number.MAX_SAFE_INTEGER)],
  'layout.save': [layout],
  'clipboard.text': [text('text', 1 << 22)],
  'screenshot.save': [bytes('a picture', 1 << 25)],
  theme: [oneOf('a theme', THEMES)],
}

/**
 * Checks a whole call.
 * @throws TypeError or RangeError saying what is wrong with it
 */
export function checkCall(name: unknown, args: unknown): { name: CallName; args: unknown[] } {
  if (typeof name !== 'string' || !Object.hasOwn(ARGUMENTS, name))
    throw new TypeError('there is no such call')
  const checks: readonly Check<unknown>[] = ARGUMENTS[name as CallName]
  if (!Array.isArray(args) || args.length !== checks.length)
    throw new TypeError(`${name} takes ${checks.length} arguments`)
  return { name: name as CallName, args: checks.map((check, i) => check(args[i])) }
}
