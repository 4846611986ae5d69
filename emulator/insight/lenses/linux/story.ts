// Whose a frame is, in words: the file and the place in it, the processes that have it as their own memory, the stack or page tables
// it belongs to (include/linux/mm_types.h, fs.h, dcache.h, rmap.h of 6.1).
import type { KernelReader } from './kernel-reader'
import { ANONYMOUS, FILE, KERNEL, type Pages, SHARED, SLAB, TABLE } from './pages'
import type { Slub } from './slub'
import { processes, taskName } from './tasks'

const PATH_MAX = 32
const TELL_MAX = 4
const PAGE = 4096

/** Clauses about a frame; none where nothing more is known than its use. */
export function frameDetail(linux: KernelReader, pages: Pages, slub: Slub, frame: number): string[] {
  const { reader } = linux
  const first = frame - (pages.behind[frame] ?? 0)
  const page = pages.pageOf(first)
  const use = pages.frames.use[frame]
  const tell = (read: () => string[]) => reader.attempt('struct page', read) ?? []
  switch (use) {
    case SLAB:
      return tell(() => slabWords(slub, frame))
    case FILE:
    case SHARED:
      return tell(() => fileWords(linux, page, frame - first))
    case ANONYMOUS:
      return tell(() => anonymousWords(linux, page, frame - first))
    case TABLE:
    case KERNEL:
      return tell(() => kernelWords(linux, frame))
    default:
      return []
  }
}

function slabWords(slub: Slub, frame: number): string[] {
  const found = slub.slabOf(frame)
  if (!found) return []
  const { slab } = found
  const of =
    slab.where === 'full' || slab.where === 'empty' || slab.where === 'partial' ? '' : ` · ${slab.where}`
  return [`${slab.inUse} of ${slab.count ?? 0} objects in use${of}`]
}

function fileWords(linux: KernelReader, page: bigint, behind: number): string[] {
  const mapping = linux.big(page, 'struct page', 'mapping') & ~3n
  const host = linux.big(mapping, 'struct address_space', 'host')
  if (host === 0n) return []
  const index = linux.number(page, 'struct page', 'index') + behind
  const superblock = linux.big(host, 'struct inode', 'i_sb')
  const kind = linux.text(
    linux.big(linux.big(superblock, 'struct super_block', 's_type'), 'struct file_system_type', 'name'),
    32,
  )
  if (kind === 'bdev') {
    const device = linux.number(host, 'struct inode', 'i_rdev')
    return [`byte ${index * PAGE} of block device ${device >>> 20}:${device & 0xfffff}`]
  }
  const path = pathOf(linux, host) ?? `inode ${linux.number(host, 'struct inode', 'i_ino')}`
  return [`page ${index} of ${path} (${kind})`]
}

/** By the first of the names that lead to an inode, up to the root of its file system. */
function pathOf(linux: KernelReader, inode: bigint): string | undefined {
  const alias = linux.big(inode, 'struct inode', 'i_dentry.first')
  if (alias === 0n) return undefined
  let dentry = BigInt.asUintN(64, alias - BigInt(linux.need('struct dentry', 'd_u.d_alias').offset))
  const names: string[] = []
  for (let i = 0; i < PATH_MAX; i++) {
    const parent = linux.big(dentry, 'struct dentry', 'd_parent')
    if (parent === dentry || parent === 0n) break
    names.unshift(linux.text(linux.big(dentry, 'struct dentry', 'd_name.name'), 64))
    dentry = parent
  }
  return `/${names.join('/')}`
}

/** The places in address spaces that may map an anonymous page: its anon_vma's tree. */
function anonymousWords(linux: KernelReader, page: bigint, behind: number): string[] {
  const mapping = linux.big(page, 'struct page', 'mapping')
  // Both bits: merged by KSM, and a tree of another kind.
  if ((mapping & 3n) !== 1n) return ['merged with others that are equal (KSM)']
  const index = linux.big(page, 'struct page', 'index') + BigInt(behind)
  const owners = new Map<bigint, string>()
  for (const task of processes(linux)) {
    const mm = linux.big(task, 'struct task_struct', 'mm')
    if (mm !== 0n && !owners.has(mm)) owners.set(mm, taskName(linux, task))
  }
  const root = linux.big(mapping - 1n, 'struct anon_vma', 'rb_root.rb_root.rb_node')
  const shape = { base: linux.kernel.btf.named('struct rb_node'), pointers: 0 }
  const words: string[] = []
  let more = 0
  if (root === 0n) return []
  const walk = { tree: '&@', type: 'struct anon_vma_chain', link: 'rb' }
  for (const { at } of linux.reader.walk(walk, { shape, at: root })) {
    const vma = linux.big(at, 'struct anon_vma_chain', 'vma')
    const start = linux.big(vma, 'struct vm_area_struct', 'vm_start')
    const end = linux.big(vma, 'struct vm_area_struct', 'vm_end')
    const address = start + ((index - linux.big(vma, 'struct vm_area_struct', 'vm_pgoff')) << 12n)
    const owner = owners.get(linux.big(vma, 'struct vm_area_struct', 'vm_mm'))
    if (address < start || address >= end || owner === undefined) continue
    if (words.length < TELL_MAX) words.push(`${owner} has it at ${address.toString(16).toUpperCase()}h`)
    else more++
  }
  return more > 0 ? [...words, `and ${more} more`] : words
}

/** Kernel stacks and top page tables are found from the processes they belong to. */
function kernelWords(linux: KernelReader, frame: number): string[] {
  const { view } = linux
  const stack = BigInt(
    linux.kernel.btf.named('union thread_union') === undefined ? 16384 : linux.sizeOf('union thread_union'),
  )
  for (const task of processes(linux)) {
    const base = linux.big(task, 'struct task_struct', 'stack')
    for (let at = 0n; base !== 0n && at < stack; at += 4096n) {
      const physical = view.physical(base + at)
      if (physical !== undefined && Math.floor(physical / PAGE) === frame)
        return [`kernel stack of ${taskName(linux, task)}`]
    }
    const mm = linux.big(task, 'struct task_struct', 'mm')
    if (mm === 0n) continue
    const pgd = view.physical(linux.big(mm, 'struct mm_struct', 'pgd'))
    if (pgd !== undefined && Math.floor(pgd / PAGE) === frame)
      return [`top page table of ${taskName(linux, task)}`]
  }
  return []
}
