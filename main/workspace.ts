// The documents that are open, and the way from a path to a window.
import { BrowserWindow, dialog } from 'electron'
import type { MachineCommand, Preferences, WindowCommand } from '../preload/bridge'
import { DocumentWindow, type Workspace } from './documents/document-window'
import { applyMenu, type MenuActions } from './menu'
import { sampleImage, sampleLab } from './paths'
import { Profile } from './profile'

export class OpenDocuments implements Workspace {
  readonly profile = new Profile(() => this.#recentChanged())
  readonly #documents = new Set<DocumentWindow>()
  /** Machines of windows that are closed already and still end their threads. */
  readonly #leaving = new Set<Promise<void>>()
  #menuTimer: NodeJS.Immediate | undefined
  #menuKey = ''

  /** The document that shows these contents. */
  of(contents: Electron.WebContents): DocumentWindow | undefined {
    for (const document of this.#documents) if (document.window.webContents === contents) return document
    return
  }

  openWindows(): number {
    return this.#documents.size
  }

  newWindow(): DocumentWindow {
    const document = new DocumentWindow(this)
    this.#documents.add(document)
    document.window.on('focus', () => this.changed())
    document.window.on('closed', () => {
      this.#documents.delete(document)
      const gone = document.disposed.catch((error: unknown) => console.error(error))
      this.#leaving.add(gone)
      void gone.then(() => this.#leaving.delete(gone))
      this.changed()
    })
    return document
  }

  /** Opens a file in a window with nothing in it, else in a new one. A file that is open already is shown. */
  open(path: string, preferred?: DocumentWindow) {
    for (const document of this.#documents) {
      const { view } = document
      if ((view.kind !== 'open' && view.kind !== 'lab') || view.path !== path) continue
      if (document.window.isMinimized()) document.window.restore()
      document.window.focus()
      return
    }
    const focused = this.#focused()
    const vacant = [preferred, focused, ...this.#documents].find((document) => document?.vacant)
    const document = vacant ?? this.newWindow()
    document.window.focus()
    void document.open(path)
  }

  openFrom(window: DocumentWindow, path: string) {
    this.open(path, window)
  }

  /** The first thing that somebody sees who starts Ringside without a file. */
  openFirst() {
    void this.newWindow().openFirst()
  }

  setPreferences(preferences: Preferences) {
    this.profile.setPreferences(preferences)
    for (const document of this.#documents) document.preferencesChanged()
    this.changed()
  }

  /** Comes forward, with a start page if nothing is open. */
  show() {
    const document = this.#focused() ?? [...this.#documents][0] ?? this.newWindow()
    if (document.window.isMinimized()) document.window.restore()
    document.window.focus()
  }

  /** The menu and the recent files follow a moment later, once for many changes. */
  changed() {
    this.#menuTimer ??= setImmediate(() => {
      this.#menuTimer = undefined
      this.#applyMenu()
    })
  }

  /** Machines that still end their threads. */
  get leaving(): number {
    return this.#leaving.size
  }

  /** Resolves when no machine's thread is left. */
  async settled(): Promise<void> {
    await Promise.all(this.#leaving)
  }

  #focused(): DocumentWindow | undefined {
    const window = BrowserWindow.getFocusedWindow()
    for (const document of this.#documents) if (document.window === window) return document
    return
  }

  #recentChanged() {
    for (const document of this.#documents) document.recentChanged()
    this.changed()
  }

  #applyMenu() {
    const state = this.#focused()?.session?.machine.state
    const machine = state === 'disposed' ? undefined : state
    const removable = this.#focused()?.session?.removable() ?? []
    const recent = this.profile.recent()
    const { theme } = this.profile
    const key = JSON.stringify([machine, removable, recent, theme])
    if (key === this.#menuKey) return
    this.#menuKey = key
    applyMenu({ machine, removable, recent, theme }, this.#actions)
  }

  /** What a command of the menu could not do. */
  #tell(error: Error) {
    dialog.showErrorBox('That did not work', error.message)
  }

  readonly #actions: MenuActions = {
    newWindow: () => void this.newWindow(),
    choose: () => void (this.#focused() ?? [...this.#documents][0] ?? this.newWindow()).choose(),
    open: (path) => this.open(path),
    sample: (sample) => this.open(sampleImage(sample)),
    lab: () => this.open(sampleLab()),
    forgetRecent: () => this.profile.forgetAll(),
    machine: (command: MachineCommand) => this.#focused()?.machine(command),
    window: (command: WindowCommand) => this.#focused()?.command(command),
    insert: (slot) =>
      void this.#focused()
        ?.insert(slot)
        .catch((error: Error) => this.#tell(error)),
    eject: (slot) => {
      try {
        this.#focused()?.eject(slot)
      } catch (error) {
        this.#tell(error as Error)
      }
    },
    shell: () => this.#focused()?.openShell(),
    theme: (theme) => this.setPreferences({ ...this.profile.preferences, theme }),
  }
}
