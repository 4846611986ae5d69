// What Ringside remembers about its user: recent files, windows, theme. Nothing else, and nothing leaves the machine.
import { homedir } from 'node:os'
import { app, nativeTheme } from 'electron'
import type { Preferences, RecentFile, Theme } from '../preload/bridge'
import { checkRecent, describeRecent, type RecentEntry, withRecent } from './documents/recent-files'
import { DocumentStore } from './documents/document-store'
import { checkSettings } from './documents/machine-settings'
import { layout } from './ipc/checks'
import { profileFile } from './paths'
import { readPreferences } from './preferences'
import { SettingsFile } from './settings-file'
import { checkProfile, type ProfileState, type WindowState } from './window/window-state'

export class Profile {
  readonly #recent = new SettingsFile<RecentEntry[]>(profileFile('recent-files.json'), checkRecent)
  /** What each document's machine is made of. */
  readonly machines = new DocumentStore('machines.json', checkSettings)
  /** How each document's panels were laid out. */
  readonly layouts = new DocumentStore('layouts.json', layout)
  readonly #preferences = new SettingsFile<Preferences>(profileFile('preferences.json'), readPreferences)
  readonly #tour = new SettingsFile<boolean>(profileFile('tour.json'), (content) => content === true)
  readonly #state = new SettingsFile<ProfileState>(profileFile('windows.json'), checkProfile)

  /** @param recentChanged hears that the list of recent files is another one */
  constructor(private readonly recentChanged: () => void) {
    nativeTheme.themeSource = this.preferences.theme
  }

  get preferences(): Preferences {
    return this.#preferences.value
  }

  setPreferences(preferences: Preferences) {
    nativeTheme.themeSource = preferences.theme
    this.#preferences.set(preferences)
  }

  /** Whether somebody has taken the tour, or skipped it. */
  get tourTaken(): boolean {
    return this.#tour.value
  }

  takeTour() {
    this.#tour.set(true)
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
    const { windows } = this.#state.value
    this.#state.set({ windows: { ...windows, machine: { ...windows.machine, ...change } } })
  }

  get theme(): Theme {
    return this.preferences.theme
  }

  /** Documents are laid out as at first from their next opening on. */
  forgetLayouts() {
    this.layouts.forget()
    this.setWindow({ layout: '' })
  }

  /** Writes what is not yet on disk. */
  flush() {
    this.#recent.flush()
    this.#state.flush()
    this.#preferences.flush()
    this.#tour.flush()
    this.machines.flush()
    this.layouts.flush()
  }
}
