// Starts what takes long to read on a thread of its own, tells how far it is, and can be told to stop.
import startFinder from '../../threads/finder.worker?nodeWorker'
import type { MachineMemory } from '../../machine/memory'
import { Btf } from '../lenses/linux/btf'
import { type LinuxKernel, linuxKernel } from '../lenses/linux/find-linux'
import { Kallsyms } from '../lenses/linux/kallsyms'
import { GuestNames } from '../symbols/guest-names'
import type { FinderJob, FinderNews } from './protocol'

export interface Search<T> {
  /** What was found; undefined when there is nothing, or somebody has said stop. Rejects when the thread is lost. */
  readonly result: Promise<T | undefined>
  /** Harmless once it is done. */
  stop(): void
}

/** Memory that a damaged file may make the thread take before it is ended. */
const HEAP_MIB = 3072

/** Looks through the guest's memory for a Linux kernel that carries its symbols and types. */
export function searchLinux(memory: MachineMemory, progress: (done: number) => void): Search<LinuxKernel> {
  return start<LinuxKernel>({ job: 'linux', memory: memory.wasm }, (news, found) => {
    if (news.news === 'progress') progress(news.done)
    if (news.news === 'linux')
      found(news.found && linuxKernel(new Btf(news.found.btf), new Kallsyms(news.found.kallsyms)))
  })
}

/**
 * Reads the symbols of a file, or of what belongs to an image.
 * @param where `file`: this one; `image`: the one beside it, or the kernel in it
 * @param hear is given the names as soon as they can be used; their debugging information comes into them later, and then it is
 *   called again
 */
export function searchNames(
  where: { file: string } | { image: string },
  hear: (names: GuestNames) => void,
  progress: (done: number) => void,
): Search<GuestNames> {
  let names: GuestNames | undefined
  const search = start<GuestNames>({ job: 'symbols', ...where }, (news, found) => {
    switch (news.news) {
      case 'progress':
        progress(news.done)
        break
      case 'names':
        names = new GuestNames(news.place, news.names)
        hear(names)
        break
      case 'debug':
        names?.adopt(news.debug)
        if (names) hear(names)
        found(names)
        break
      case 'unreadable':
        // Names that are there are good without the rest.
        if (names) names.giveUp()
        else names = GuestNames.unreadable(news.name, news.problem)
        hear(names)
        found(names)
        break
      case 'none':
        found(undefined)
    }
  })
  return {
    result: search.result,
    stop: () => {
      names?.giveUp()
      search.stop()
    },
  }
}

function start<T>(
  job: FinderJob,
  hear: (news: FinderNews, found: (what: T | undefined) => void) => void,
): Search<T> {
  const worker = startFinder({
    workerData: job,
    name: `finder of ${job.job === 'linux' ? 'Linux' : 'symbols'}`,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  })
  let stopped = false
  const result = new Promise<T | undefined>((resolve, reject) => {
    worker.on('message', (news: FinderNews) => {
      if (!stopped) hear(news, resolve)
    })
    worker.once('error', reject)
    worker.once('exit', () => resolve(undefined))
  })
  return {
    result,
    stop: () => {
      stopped = true
      void worker.terminate()
    },
  }
}
