// The thread that reads what takes long to read: symbols and debugging information of a file, and Linux's own in the guest's memory.
// It does one thing, says how far it is, and ends.
import { basename } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { FinderJob, FinderNews } from '../insight/finder/protocol'
import { findLinux } from '../insight/lenses/linux/find-linux'
import { SymbolError } from '../insight/symbols/symbol-error'
import { findSymbolPlace, SymbolFile, type SymbolPlace } from '../insight/symbols/symbol-file'
import { MachineMemory } from '../machine/memory'

const job = workerData as FinderJob
const say = (news: FinderNews, ...moved: (ArrayBufferView | undefined)[]) =>
  parentPort!.postMessage(news, movable(moved))
const progress = (done: number) => say({ news: 'progress', done })

if (job.job === 'linux') {
  const found = findLinux(new MachineMemory(job.memory), progress)
  if (!found) say({ news: 'linux' })
  else {
    const kallsyms = found.kallsyms.parts
    const btf = found.btf.parts
    say(
      { news: 'linux', found: { kallsyms, btf } },
      ...[kallsyms.bytes, kallsyms.names, kallsyms.all, kallsyms.order, kallsyms.slots],
      ...[btf.bytes, btf.starts, btf.names],
    )
  }
} else {
  const place: SymbolPlace | undefined =
    'file' in job ? { path: job.file, name: basename(job.file) } : findSymbolPlace(job.image)
  if (!place) say({ news: 'none' })
  else read(place)
}

function read(place: SymbolPlace) {
  try {
    const file = new SymbolFile(place)
    const { symbols } = file
    const names = symbols.table.prepared()
    say({ news: 'names', place: file.place, names }, names.order, names.addresses, names.slots)
    const debug = symbols.prepareDebug(progress)
    const { units, ranges, types } = debug
    say(
      { news: 'debug', debug },
      ...[units.numbers, units.words, ranges.starts, ranges.ends, ranges.units],
      ...[types.offsets, types.addresses, types.types, ...debug.unpacked.map(([, bytes]) => bytes)],
    )
    file.close()
  } catch (error) {
    const system = (error as NodeJS.ErrnoException).code !== undefined
    if (!(error instanceof SymbolError) && !system) throw error
    say({ news: 'unreadable', name: place.name, problem: (error as Error).message })
  }
}

/** Buffers that are one array's alone, each once: the others are copied. */
function movable(views: (ArrayBufferView | undefined)[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  for (const view of views)
    if (view && view.buffer instanceof ArrayBuffer && view.byteLength === view.buffer.byteLength)
      buffers.add(view.buffer)
  return [...buffers]
}
