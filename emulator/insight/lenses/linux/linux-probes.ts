// Functions of Linux 6.1 that give out page frames and take them back (mm/page_alloc.c): all that count PGALLOC and PGFREE. Frames
// change hands without them too (compaction takes free ones apart by __isolate_free_page, memory that is hot-removed or poisoned
// goes away), and Linux reads what it has freed on purpose (get_freepointer_safe, walks of page tables without a lock). So nothing is
// claimed of double frees, leaks and uses after free.
import type { ProbeLens } from '../lens'

/** mm/page_alloc.c deals in `struct page *`, of which one has 64 bytes. */
const page = (of: string) => ({ of, minus: 'vmemmap_base', right: 6, left: 12 })
/** Lists go by page->lru, behind page->flags; the shift to the right leaves that out. */
const pages = { shift: 4096, by: 'RSI' }

export const LINUX_PROBES: readonly ProbeLens[] = [
  { function: '__alloc_pages', event: 'allocate', pool: 'frames', address: page('RAX'), bytes: pages },
  // (gfp, node, nodemask, count, list, array)
  { function: '__alloc_pages_bulk', event: 'allocate', pool: 'frames', address: page('R9'), many: 'array' },
  { function: 'free_unref_page', event: 'free', pool: 'frames', address: page('RDI'), bytes: pages },
  { function: 'free_unref_page_list', event: 'free', pool: 'frames', address: page('RDI'), many: 'list' },
  { function: '__free_pages_ok', event: 'free', pool: 'frames', address: page('RDI'), bytes: pages },
]
/** Where physical memory is mapped. */
export const LINUX_DIRECT_MAP = 'page_offset_base'
