// What Ringside remembers about its user: recent files, windows, theme. Nothing else, and nothing leaves the machine.
import { homedir } from 'node:os'
import { app, nativeTheme } from 'electron'
import type { RecentFile, Theme } from '../preload/bridge'
import { checkRecent, describeRecent, type RecentEntry, withRecent } from './documents/recent-files'
import { DocumentStore } from './documents/document-store'
import { checkSettings } from './documents/machine-settings'
import { layout } from './ipc/checks'
import { profileFile } from './paths'
import { SettingsFile } from './settings-file'
import { checkProfile, type ProfileState, type WindowState } from './window/window-state'

export class Profile {
  readonly #recent = new SettingsFile<RecentEntry[]>(profileFile('recent-files.json'), checkRecent)
  /** What each document's machine is made of. */
  readonly machines = new DocumentStore('machines.json', checkSettings)
  /** How each document's panels were laid out. */
  readonly layouts = new DocumentStore('layouts.json', layout)
  readonly #state = new SettingsFile<ProfileState>(profileFile('windows.json'), checkProfile)

  /** @param recentChanged hears that the list of recent files is another one */
  constructor(private readonly recentChanged: () => void) {
    nativeTheme.themeSource = this.#state.value.theme
  }

  recent(): RecentFile[] {
    return describeRecent(this.#recent.value, homedir())
  }

  opened(path: string) {
    this.#setRecent(withRecent(this.#recent.value, path, Date.now()))
    app.addRecentDocument(path)
  }

  forget(path: string) {
    this.#setRecent(this.#recent.value.filter((entry) => entry.path !== path))
  }

  forgetAll() {
    this.#setRecent([])
    app.clearRecentDocuments()
  }

  #setRecent(entries: RecentEntry[]) {
    this.#recent.set(entries)
    this.recentChanged()
  }

  get window(): WindowState {
    return this.#state.value.windows.machine
  }

  setWindow(change: Partial<WindowState>) {
    const { theme, windows } = this.#state.value
    this.#state.set({ theme, windows: { ...windows, machine: { ...windows.machine, ...change } } })
  }

  get theme(): Theme {
    return this.#state.value.theme
  }

  setTheme(theme: Theme) {
    nativeTheme.themeSource = theme
    this.#state.set({ ...this.#state.value, theme })
  }

  /** Writes what is not yet on disk. */
  flush() {
    this.#recent.flush()
    this.#state.flush()
    this.machines.flush()
    this.layouts.flush()
  }
}
