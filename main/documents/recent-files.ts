// The files opened last, newest first.
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { RecentFile } from '../../preload/bridge'

export const RECENT_MAX = 12

export interface RecentEntry {
  path: string
  /** ms since 1970. */
  opened: number
}

/** What is usable of a settings file's content. */
export function checkRecent(content: unknown): RecentEntry[] {
  if (!Array.isArray(content)) return []
  return content
    .filter(
      (entry): entry is RecentEntry =>
        typeof entry?.path === 'string' && entry.path !== '' && Number.isFinite(entry.opened),
    )
    .slice(0, RECENT_MAX)
    .map(({ path, opened }) => ({ path, opened }))
}

/** @param now ms since 1970 */
export function withRecent(entries: RecentEntry[], path: string, now: number): RecentEntry[] {
  return [{ path, opened: now }, ...entries.filter((entry) => entry.path !== path)].slice(0, RECENT_MAX)
}

/** @param home the user's home folder */
export function describeRecent(entries: RecentEntry[], home: string): RecentFile[] {
  return entries.map(({ path, opened }) => {
    const folder = dirname(path)
    const inHome = home !== '' && (folder === home || folder.startsWith(`${home}/`))
    return {
      path,
      opened,
      name: basename(path),
      folder: inHome ? `~${folder.slice(home.length)}` : folder,
      missing: !existsSync(path),
    }
  })
}
