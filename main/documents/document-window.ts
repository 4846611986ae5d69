// A window is a document: an image and the machine that boots it, or a page that says why there is none.
import { writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join, parse, resolve } from 'node:path'
import { app, BrowserWindow, clipboard, dialog, type FileFilter, nativeTheme, screen, shell } from 'electron'
import type {
  DocumentView,
  LabPlan,
  KernelSummary,
  MachineCommand,
  MachineSettings,
  Preferences,
  WindowCommand,
} from '../../preload/bridge'
import type { DirectBoot } from '@emulator/firmware/direct-boot/chunks'
import { isAssociated, setAssociated } from '../associations'
import type { Handlers } from '../ipc/calls'
import { EventPort } from '../ipc/event-port'
import { hasSample, preloadScript, sampleImage, sampleLab } from '../paths'
import { APP_PAGE } from '../window/app-protocol'
import { developmentServer } from '../window/lock-down'
import { MINIMUM_SIZE, placeWindow } from '../window/window-state'
import { failureOf } from './failures'
import { isLabFile, LabSession } from '../lab/lab-session'
import { MachineSession } from './machine-session'
import { kernelSummary, readKernel, settingsBy } from './machine-settings'
import type { Profile } from '../profile'

/** What a document needs of the application around it. */
export interface Workspace {
  profile: Profile
  /** Opens a file from this window: here when there is nothing in it, else in a window of its own. */
  openFrom(window: DocumentWindow, path: string): void
  /** Something that the menu shows has changed. */
  changed(): void
  /** Takes them for all windows. */
  setPreferences(preferences: Preferences): void
  openWindows(): number
}

/** Colours behind the page until it is drawn: --bg0 of renderer/src/theme/tokens.css. */
const BACKGROUND = { dark: '#0d1015', light: '#eef1f5' }

const ANY_FILE: FileFilter = { name: 'All files', extensions: ['*'] }

/** A page that is loaded but has not announced its first picture is shown after this. */
const SHOW_ANYWAY_MS = 3000
/** Between two words about what is being read. */
const READING_TOLD_MS = 120

export class DocumentWindow {
  readonly window: BrowserWindow
  readonly #workspace: Workspace
  readonly #port = new EventPort((sequence) => this.#session?.drawn(sequence))
  #view: DocumentView = { kind: 'empty' }
  #session: MachineSession | undefined
  /** Instead of a machine: the scheduler lab. */
  #lab: LabSession | undefined
  #opening = 0
  #closed = false
  /** The page is to begin with the tour. */
  #tour = false
  /** Resolves when a closed window's machine is gone. */
  disposed: Promise<void> = Promise.resolve()

  constructor(workspace: Workspace) {
    this.#workspace = workspace
    const { bounds, maximized } = workspace.profile.window
    const screens = screen.getAllDisplays().map(({ workArea }) => workArea)
    this.window = new BrowserWindow({
      ...placeWindow(bounds, screens, workspace.openWindows()),
      minWidth: MINIMUM_SIZE.width,
      minHeight: MINIMUM_SIZE.height,
      title: 'Ringside',
      show: false,
      backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
      webPreferences: {
        preload: preloadScript,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webviewTag: false,
        spellcheck: false,
        // A hidden window gets no frames, but its terminal must not fall behind when it is only covered.
        backgroundThrottling: true,
      },
    })
    const { window } = this
    if (maximized) window.maximize()
    // Shown with its first picture and not white; but if that is never announced (it comes from the compositor, which
    // a busy host may restart), a window with its page loaded is better than none.
    window.once('ready-to-show', () => window.show())
    window.webContents.once('did-finish-load', () => setTimeout(() => this.#showAnyway(), SHOW_ANYWAY_MS))
    window.on('close', () => this.#rememberBounds())
    window.on('closed', () => this.#close())
    for (const event of ['resized', 'moved', 'maximize', 'unmaximize'] as const)
      window.on(event as 'resized', () => this.#rememberBounds())
    for (const event of ['show', 'restore', 'focus'] as const)
      window.on(event as 'show', () => this.#session?.refresh())
    // The title is ours, not the page's.
    window.on('page-title-updated', (event) => event.preventDefault())
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      if (reason !== 'clean-exit' && !this.#closed) window.reload()
    })
    void window.loadURL(developmentServer ?? APP_PAGE)
  }

  #showAnyway() {
    if (!this.#closed && !this.window.isDestroyed() && !this.window.isVisible() && !this.window.isMinimized())
      this.window.show()
  }

  /** Nothing is open in it: a file may be opened here. */
  get vacant(): boolean {
    return this.#view.kind === 'empty' || this.#view.kind === 'failed'
  }

  get view(): DocumentView {
    return this.#view
  }

  get session(): MachineSession | undefined {
    return this.#session
  }

  /** Opens Seedling and shows around, unless that was done before. */
  openFirst(): Promise<void> {
    this.#tour = !this.#workspace.profile.tourTaken
    return this.open(sampleImage('seedling'))
  }

  /** @param path of an image or a kernel; relative ones start at the working directory */
  async open(path: string): Promise<void> {
    const absolute = resolve(path)
    const kernel = kernelSummary(absolute)
    const settings =
      this.#workspace.profile.machines.of(absolute) ?? settingsBy(this.#workspace.profile.preferences)
    if (!kernel) return this.#start(absolute, undefined, settings)
    // What it is to be given comes first.
    this.#opening++
    const before = this.#session
    this.#session = undefined
    this.#lab = undefined
    this.#show({ kind: 'kernel', path: absolute, name: basename(absolute), kernel, settings })
    await before?.dispose()
  }

  /** Builds the machine of a document and powers it on. */
  async #start(path: string, kernel: KernelSummary | undefined, settings: MachineSettings): Promise<void> {
    const name = basename(path)
    const turn = ++this.#opening
    this.#show({ kind: 'loading', path, name })
    const before = this.#session
    this.#session = undefined
    this.#lab = undefined
    await before?.dispose()
    try {
      if (isLabFile(path)) {
        this.#lab = new LabSession(path)
        this.#show({ kind: 'lab', path, name, lab: this.#lab.file })
        this.#workspace.profile.opened(path)
        return
      }
      const { preferences } = this.#workspace.profile
      let direct: DirectBoot | undefined
      if (kernel) {
        let told = performance.now()
        direct = await readKernel(path, settings, ({ file, done }) => {
          if (turn !== this.#opening || this.#closed) return false
          if (performance.now() - told < READING_TOLD_MS) return true
          told = performance.now()
          this.#show({ kind: 'loading', path, name, reading: { file: basename(file), done } })
          return true
        })
        if (!direct) return
      }
      const session = await MachineSession.open(
        path,
        kernel !== undefined,
        settings,
        {
          frame: (frame) => this.#port.send('frame', frame),
          fault: (account) => this.#port.send('fault', account),
          changed: () => this.#workspace.changed(),
          visible: () => !this.window.isDestroyed() && this.window.isVisible() && !this.window.isMinimized(),
        },
        { symbols: preferences.symbolsBeside, lens: preferences.lensBeside },
        direct,
      )
      if (turn !== this.#opening || this.#closed) return await session.dispose()
      this.#session = session
      const machine = session.summary
      const { profile } = this.#workspace
      const layout = profile.layouts.of(path) ?? profile.window.layout
      this.#show({ kind: 'open', path, name, machine, settings, layout, ...(kernel ? { kernel } : {}) })
      session.connect()
      this.#workspace.profile.opened(path)
      session.machine.run()
    } catch (error) {
      if (turn !== this.#opening || this.#closed) return
      this.#show({ kind: 'failed', path, name, failure: failureOf(path, error) })
    }
  }

  /** Remembers what the machine of this document is made of. */
  #saveSettings(settings: MachineSettings) {
    const view = this.#view
    if (view.kind === 'empty' || view.kind === 'loading') throw new Error('nothing is open in this window')
    this.#workspace.profile.machines.set(view.path, settings)
    // The page keeps what it shows; a page that is loaded again is told the new ones.
    if (view.kind === 'open' || view.kind === 'kernel') this.#view = { ...view, settings }
  }

  /** Asks for a file that a machine is to have. */
  async #chooseFile(what: 'initrd' | 'disk' | 'cdrom' | 'floppy'): Promise<string | undefined> {
    const titles = {
      initrd: 'Choose an initial RAM disk or module',
      disk: 'Choose a disk image',
      cdrom: 'Choose a CD image',
      floppy: 'Choose a floppy image',
    }
    return (await this.#ask(titles[what]))[0]
  }

  /** Asks the user for files of these kinds, or of any; none when they changed their mind. */
  async #ask(title: string, filters?: FileFilter[], several = false): Promise<string[]> {
    const { canceled, filePaths } = await dialog.showOpenDialog(this.window, {
      title,
      properties: several ? ['openFile', 'multiSelections'] : ['openFile'],
      ...(filters ? { filters } : {}),
    })
    return canceled ? [] : filePaths
  }

  /** Asks for an image and puts it into a drive of the machine. */
  async insert(slot: string): Promise<void> {
    const kind = this.#session?.removable().find((drive) => drive.slot === slot)?.kind
    if (!kind) throw new Error(`there is no drive ${slot} whose medium can be changed`)
    const path = await this.#chooseFile(kind)
    if (path !== undefined) this.#session?.insert(slot, path)
  }

  eject(slot: string) {
    this.#session?.eject(slot)
  }

  /** A command of the menu for the machine; its failure is an internal one, which the machine reports itself. */
  machine(command: MachineCommand) {
    this.#session?.command(command).catch((error: unknown) => console.error(error))
  }

  /** The menu opens a shell: the user has said so. */
  openShell() {
    this.#session?.terminals.openShell(80, 24)
    this.command('show.terminal')
  }

  /** The page asks for a shell. It shows an untrusted guest, so it is the user who decides, in a dialog of the system. */
  async #askForShell(columns: number, rows: number): Promise<boolean> {
    const session = this.#session
    if (!session || this.#view.kind !== 'open') return false
    const { shell: wish } = this.#workspace.profile.preferences
    if (wish === 'never')
      throw new Error('the preferences allow no shell from the page; the menu Machine opens one')
    if (session.terminals.shell !== 'running' && wish !== 'allow') {
      const { response } = await dialog.showMessageBox(this.window, {
        type: 'question',
        message: 'Open a shell?',
        detail: `It runs on this computer with your rights, in ${dirname(this.#view.path)}. The guest cannot reach it.`,
        buttons: ['Open', 'Cancel'],
        defaultId: 0,
        cancelId: 1,
      })
      if (response !== 0 || this.#session !== session) return false
    }
    session.terminals.openShell(columns, rows)
    return true
  }

  /** A command of the menu for the page. */
  command(command: WindowCommand) {
    this.#port.send('command', command)
  }

  preferencesChanged() {
    const { preferences } = this.#workspace.profile
    this.window.webContents.setZoomFactor(preferences.textSize / 100)
    this.#port.send('preferences', preferences)
  }

  /** The page shows an untrusted guest: that it may open shells without asking is for the user to say, in a dialog of the system. */
  async #setPreferences(preferences: Preferences): Promise<Preferences> {
    const { profile } = this.#workspace
    if (preferences.shell === 'allow' && profile.preferences.shell !== 'allow') {
      const { response } = await dialog.showMessageBox(this.window, {
        type: 'question',
        message: 'Open shells without asking?',
        detail:
          'The Terminal panel will start a shell of this computer, with your rights, as soon as its button is pressed.',
        buttons: ['Do not ask any more', 'Keep asking'],
        defaultId: 1,
        cancelId: 1,
      })
      if (response !== 0) preferences = { ...preferences, shell: profile.preferences.shell }
    }
    this.#workspace.setPreferences(preferences)
    return profile.preferences
  }

  /** What a double click opens is the user's: asked by the system, not by the page. */
  async #setAssociated(on: boolean): Promise<boolean> {
    const { response } = await dialog.showMessageBox(this.window, {
      type: 'question',
      message: on
        ? 'Shall disk images and kernels open in Ringside from the file manager?'
        : 'Shall the file manager no longer know of Ringside?',
      detail: on
        ? 'An entry in the menu, an icon and the file types are written below ~/.local/share. What is the default for a file stays as it is; Ringside is among “Open with”.'
        : 'The entry, the icon and the file types below ~/.local/share are removed.',
      buttons: [on ? 'Yes' : 'Remove them', 'Cancel'],
      defaultId: 0,
      cancelId: 1,
    })
    if (response === 0) await setAssociated(on)
    return isAssociated() === true
  }

  recentChanged() {
    this.#port.send('recent', this.#workspace.profile.recent())
  }

  /** What the page may call. */
  readonly handlers: Handlers = {
    hello: () => {
      this.#port.connect(this.window.webContents.mainFrame)
      this.preferencesChanged()
      this.#port.send('recent', this.#workspace.profile.recent())
      this.#port.send('document', this.#view)
      this.#session?.connect()
      return {
        version: app.getVersion(),
        platform: process.platform,
        hasSample: hasSample(),
        tourTaken: this.#workspace.profile.tourTaken,
        tour: this.#tour,
      }
    },
    'document.open': (path) => this.#workspace.openFrom(this, path),
    'document.choose': () => this.choose(),
    'document.sample': (sample) => this.#workspace.openFrom(this, sampleImage(sample)),
    'tour.taken': () => {
      this.#tour = false
      this.#workspace.profile.takeTour()
    },
    'preferences.set': (preferences) => this.#setPreferences(preferences),
    associated: () => isAssociated(),
    'associated.set': (on) => this.#setAssociated(on),
    'layouts.forget': () => this.#workspace.profile.forgetLayouts(),
    'document.reveal': () => {
      if (this.#view.kind !== 'empty') shell.showItemInFolder(this.#view.path)
    },
    'lab.sample': () => this.#workspace.openFrom(this, sampleLab()),
    'lab.run': (plan) => this.#openLab().run(plan),
    'lab.save': (plan) => this.#saveLab(plan),
    'lab.add': async (paths) => this.#openLab().add(paths.length > 0 ? paths : await this.#choosePrograms()),
    'symbols.choose': () => this.#chooseSymbols(),
    'recent.forget': (path) => this.#workspace.profile.forget(path),
    'settings.save': (settings) => this.#saveSettings(settings),
    'settings.start': (settings) => {
      this.#saveSettings(settings)
      const { path } = this.#view as { path: string }
      // It answers when the settings are taken; what the machine makes of them is the document's next view.
      void this.#start(path, kernelSummary(path), settings)
    },
    'settings.file': (what) => this.#chooseFile(what),
    schedule: (schedule) => this.#session?.setSchedule(schedule),
    'drive.insert': (slot) => this.insert(slot),
    'drive.eject': (slot) => this.eject(slot),
    machine: (command) => this.#session?.command(command),
    'serial.input': (port, text) => this.#session?.serialInput(port, text),
    'serial.device': (port, on) => this.#session?.terminals.setDevice(port, on),
    'shell.open': (columns, rows) => this.#askForShell(columns, rows),
    'shell.input': (text) => this.#session?.terminals.typed(text),
    'shell.resize': (columns, rows) => this.#session?.terminals.resize(columns, rows),
    key: (code, pressed) => this.#session?.key(code, pressed),
    mouse: (dx, dy, wheel, buttons) => this.#session?.mouse(dx, dy, wheel, buttons),
    capture: (on) => this.window.webContents.setIgnoreMenuShortcuts(on),
    interest: (interest) => this.#session?.setInterest(interest),
    'climb.account': () => this.#open().climb(),
    'memory.frame': (frame) => this.#open().frameFacts(frame),
    'memory.bytes': (space, at, length) => this.#open().spaces.bytes(space, BigInt(`0x${at}`), length),
    'memory.locate': (space, at) => this.#open().spaces.locate(space, BigInt(`0x${at}`)),
    'spaces.choices': () => this.#open().spaces.choices(),
    'spaces.read': (cr3) => this.#open().spaces.read(cr3 === '' ? undefined : BigInt(`0x${cr3}`)),
    'spaces.remember': () => this.#open().spaces.remember(),
    'spaces.difference': (a, b) => this.#open().spaces.difference(a, b),
    'allocator.slabs': (cache) => this.#open().slabs(cache),
    'allocator.structure': (allocator) => this.#open().structure(allocator),
    'lens.guess': (guess) => this.#saveGuess(guess),
    'lens.choose': () => this.#chooseLens(),
    'memory.search': (space, from, pattern) => this.#open().search(space, BigInt(`0x${from}`), pattern),
    'memory.write': (space, at, bytes) => this.#open().write(space, BigInt(`0x${at}`), bytes),
    'symbols.find': (query) => this.#session?.findSymbols(query) ?? [],
    'work.cancel': (id) => this.#session?.cancelWork(id),
    'layout.save': (layout) => this.#saveLayout(layout),
    'clipboard.text': (text) => clipboard.writeText(text),
    'screenshot.save': (png) => this.#saveScreenshot(png),
    theme: (theme) => this.#workspace.setPreferences({ ...this.#workspace.profile.preferences, theme }),
  }

  /** Asks the user for an image. */
  async choose(): Promise<void> {
    const [path] = await this.#ask('Open a disk image or a kernel', [
      ANY_FILE,
      { name: 'Disk images', extensions: ['img', 'bin', 'raw', 'dsk', 'flp', 'ima', 'vfd', 'iso'] },
      { name: 'Kernels', extensions: ['elf', 'bin', 'bzImage', 'kernel'] },
    ])
    if (path !== undefined) this.#workspace.openFrom(this, path)
  }

  /** This document's own, and what documents begin with that have none. */
  #saveLayout(layout: string) {
    const { profile } = this.#workspace
    profile.setWindow({ layout })
    if (this.#view.kind !== 'open') return
    profile.layouts.set(this.#view.path, layout)
    // The page keeps what it shows; a page that is loaded again is told the new one.
    this.#view = { ...this.#view, layout }
  }

  #open(): MachineSession {
    if (!this.#session) throw new Error('no machine is open in this window')
    return this.#session
  }

  async #chooseLens(): Promise<void> {
    const lenses = { name: 'Lens files', extensions: ['json'] }
    const [path] = await this.#ask('Choose a lens for this kernel', [lenses, ANY_FILE])
    if (path !== undefined) this.#session?.openLens(path)
  }

  async #saveGuess(guess: number): Promise<void> {
    const text = this.#open().guessedLens(guess)
    if (text === undefined || this.#view.kind !== 'open') return
    const { path } = this.#view
    const { canceled, filePath } = await dialog.showSaveDialog(this.window, {
      title: 'Use the guess as a lens',
      defaultPath: join(dirname(path), `${parse(path).name}.lens.json`),
      filters: [{ name: 'Lens files', extensions: ['json'] }],
    })
    if (canceled || !filePath) return
    const target = extname(filePath) === '' ? `${filePath}.lens.json` : filePath
    await writeFile(target, text)
    this.#session?.openLens(target)
  }

  #openLab(): LabSession {
    if (!this.#lab) throw new Error('no scheduler lab is open in this window')
    return this.#lab
  }

  async #saveLab(plan: LabPlan): Promise<string | undefined> {
    const lab = this.#openLab()
    const { path } = this.#view as Extract<DocumentView, { kind: 'lab' }>
    const { canceled, filePath } = await dialog.showSaveDialog(this.window, {
      title: 'Save the lab',
      defaultPath: path.toLowerCase().endsWith('.json')
        ? path
        : join(dirname(path), `${parse(path).name}.lab.json`),
      filters: [{ name: 'Scheduler labs', extensions: ['json'] }],
    })
    if (canceled || !filePath) return
    const target = extname(filePath) === '' ? `${filePath}.lab.json` : filePath
    await writeFile(target, lab.document(plan, target))
    return basename(target)
  }

  #choosePrograms(): Promise<string[]> {
    return this.#ask('Add programs to the lab', [{ name: 'Programs', extensions: ['bin'] }, ANY_FILE], true)
  }

  async #chooseSymbols(): Promise<void> {
    const kernels = { name: 'ELF files', extensions: ['elf', 'sym', 'debug', 'o', 'bin'] }
    const [path] = await this.#ask('Choose the file with the kernel’s symbols', [kernels, ANY_FILE])
    if (path !== undefined) this.#session?.readNames({ file: path })
  }

  async #saveScreenshot(png: Uint8Array): Promise<string | undefined> {
    const name = this.#view.kind === 'empty' ? 'screen' : parse(this.#view.name).name
    const { canceled, filePath } = await dialog.showSaveDialog(this.window, {
      title: 'Save the screenshot',
      defaultPath: join(app.getPath('pictures'), `${name}.png`),
      filters: [{ name: 'PNG', extensions: ['png'] }],
    })
    if (canceled || !filePath) return
    await writeFile(filePath, png)
    return filePath
  }

  #show(view: DocumentView) {
    this.#view = view
    if (this.#closed) return
    this.window.setTitle(view.kind === 'empty' ? 'Ringside' : `${view.name} – Ringside`)
    if (view.kind === 'open' && process.platform === 'darwin') this.window.setRepresentedFilename(view.path)
    this.#port.send('document', view)
    this.#workspace.changed()
  }

  #rememberBounds() {
    if (this.window.isMinimized() || this.window.isFullScreen()) return
    this.#workspace.profile.setWindow({
      bounds: this.window.getNormalBounds(),
      maximized: this.window.isMaximized(),
    })
  }

  #close() {
    this.#closed = true
    this.#port.close()
    const session = this.#session
    this.#session = undefined
    this.disposed = session?.dispose() ?? Promise.resolve()
  }
}
