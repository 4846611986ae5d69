// Functions of Linux 6.1 that give out memory and take it back. Not all of them: pages go in batches too (free_unref_page_list,
// alloc_pages_bulk), so that nothing is claimed of double frees, leaks and uses after free.
import type { ProbeLens } from '../lens'

/** mm/page_alloc.c deals in `struct page *`, of which one has 64 bytes. */
const page = (of: string) => ({ of, minus: 'vmemmap_base', right: 6, left: 12 })
const pages = { shift: 4096, by: 'RSI' }

export const LINUX_PROBES: readonly ProbeLens[] = [
  { function: '__alloc_pages', event: 'allocate', pool: 'frames', address: page('RAX'), bytes: pages },
  { function: 'free_unref_page', event: 'free', pool: 'frames', address: page('RDI'), bytes: pages },
  { function: '__free_pages_ok', event: 'free', pool: 'frames', address: page('RDI'), bytes: pages },
  { function: 'kmem_cache_alloc', event: 'allocate', pool: 'slab objects', address: 'RAX' },
  { function: 'kmem_cache_free', event: 'free', pool: 'slab objects', address: 'RSI' },
  { function: '__kmalloc', event: 'allocate', pool: 'kmalloc', address: 'RAX', bytes: 'RDI' },
  { function: 'kfree', event: 'free', pool: 'kmalloc', address: 'RDI' },
]
/** Where physical memory is mapped. */
export const LINUX_DIRECT_MAP = 'page_offset_base'
