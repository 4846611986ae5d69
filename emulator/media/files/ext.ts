// Files of ext2, ext3 and ext4 (Linux, Documentation/filesystems/ext4). A journal that has not been played back is not read: what is
// in it only is not seen.
import { type ByteSource, bytesSource } from '../elf'
import {
  addExtent,
  DEPTH_MAX,
  ENTRIES_MAX,
  type Extent,
  FileContent,
  type FileSystem,
  FileSystemError,
  type FolderEntry,
  named,
  need,
  partsOf,
  viewOf,
} from './file-system'

const MAGIC = 0xef53
const ROOT = 2
const FOLDER_MAX = 64 << 20
const LINKS_MAX = 16
const FOLDER = 0x4000
const FILE = 0x8000
const LINK = 0xa000
const INCOMPAT = {
  ...{ compression: 0x1, journalDevice: 0x8, metaBlockGroups: 0x10, wide: 0x80 },
  ...{ encrypted: 0x10000 },
}
const EXTENTS = 0x80000
const INLINE = 0x1000_0000
const ENCRYPTED = 0x800
const EXTENT_MAGIC = 0xf30a
const EXTENT_DEPTH = 5

interface Inode {
  number: number
  mode: number
  size: number
  flags: number
  /** i_block: 60 bytes. */
  block: Uint8Array
  /** What follows it in the inode: attributes. */
  rest: Uint8Array
}

type Named = FolderEntry & { inode: number }

/** @returns undefined when it is none @throws FileSystemError */
export function openExt(volume: ByteSource): FileSystem | undefined {
  const bytes = volume.read(1024, 1024)
  if (bytes.length < 1024 || viewOf(bytes).getUint16(0x38, true) !== MAGIC) return undefined
  return new ExtFiles(volume, bytes)
}

class ExtFiles implements FileSystem {
  readonly kind: string
  readonly label: string
  readonly #block: number
  readonly #inodeSize: number
  readonly #inodes: number
  readonly #inodesPerGroup: number
  readonly #blocksPerGroup: number
  readonly #first: number
  readonly #descriptor: number
  readonly #metaFrom: number | undefined

  constructor(
    readonly volume: ByteSource,
    superblock: Uint8Array,
  ) {
    const view = viewOf(superblock)
    const u32 = (at: number) => view.getUint32(at, true)
    const shift = u32(0x18)
    const compat = u32(0x5c)
    const incompat = u32(0x60)
    const readOnly = u32(0x64)
    const revision = u32(0x4c)
    if (shift > 6) throw new FileSystemError(`the superblock claims blocks of 2^${10 + shift} bytes`)
    if (incompat & INCOMPAT.compression) throw new FileSystemError('the file system is compressed')
    if (incompat & INCOMPAT.journalDevice)
      throw new FileSystemError('it is a journal without its file system')
    this.#block = 1024 << shift
    this.#inodes = u32(0)
    this.#inodesPerGroup = u32(0x28)
    this.#blocksPerGroup = u32(0x20)
    this.#first = u32(0x14)
    this.#inodeSize = revision === 0 ? 128 : view.getUint16(0x58, true)
    this.#descriptor = incompat & INCOMPAT.wide ? Math.max(32, view.getUint16(0xfe, true)) : 32
    this.#metaFrom = incompat & INCOMPAT.metaBlockGroups ? u32(0x104) : undefined
    if (this.#inodesPerGroup === 0 || this.#blocksPerGroup === 0 || this.#inodes === 0)
      throw new FileSystemError('the superblock claims groups of nothing')
    if (this.#inodeSize < 128 || this.#inodeSize > this.#block || this.#descriptor > 1024)
      throw new FileSystemError(`the superblock claims inodes of ${this.#inodeSize} bytes`)
    const four = incompat & ~0x16 || readOnly & ~0x7
    this.kind = four ? 'ext4' : compat & 4 ? 'ext3' : 'ext2'
    const name = Buffer.from(superblock.subarray(0x78, 0x88)).toString('utf8')
    this.label = name.replace(/\0[\s\S]*$/, '')
  }

  list(path: string): FolderEntry[] | undefined {
    const inode = this.#find(path)
    if (!inode || (inode.mode & 0xf000) !== FOLDER) return undefined
    return this.#entries(inode).map(({ name, kind }) => ({ name, kind }))
  }

  open(path: string): FileContent | undefined {
    const inode = this.#find(path)
    if (!inode || (inode.mode & 0xf000) !== FILE) return undefined
    if (inode.flags & ENCRYPTED) throw new FileSystemError(`${path} is encrypted`)
    return this.#content(inode)
  }

  #find(path: string): Inode | undefined {
    const todo = partsOf(path)
    const above: Inode[] = [this.#inode(ROOT)]
    let links = 0
    for (let steps = 0; todo.length > 0 && steps < 4 * DEPTH_MAX; steps++) {
      const part = todo.shift()!
      if (part === '..') {
        if (above.length > 1) above.pop()
        continue
      }
      const here = above.at(-1)!
      if ((here.mode & 0xf000) !== FOLDER) return undefined
      const entry = named(this.#entries(here), part)
      if (!entry) return undefined
      const inode = this.#inode(entry.inode)
      if ((inode.mode & 0xf000) !== LINK) {
        above.push(inode)
        continue
      }
      if (++links > LINKS_MAX) throw new FileSystemError(`${path} leads through links in a circle`)
      const target = this.#target(inode)
      if (target.startsWith('/')) above.length = 1
      todo.unshift(...target.split('/').filter((each) => each !== '' && each !== '.'))
    }
    return todo.length > 0 ? undefined : above.at(-1)
  }

  /** Up to 60 bytes are kept in the inode itself. */
  #target(inode: Inode): string {
    const bytes =
      inode.size < 60 && (inode.flags & EXTENTS) === 0
        ? inode.block.subarray(0, inode.size)
        : this.#content(inode).read(0, Math.min(inode.size, 4096))
    return Buffer.from(bytes).toString('utf8')
  }

  #inode(number: number): Inode {
    if (number < 1 || number > this.#inodes) throw new FileSystemError(`there is no inode ${number}`)
    const group = Math.floor((number - 1) / this.#inodesPerGroup)
    const descriptor = need(this.volume, this.#descriptorAt(group), this.#descriptor, 'a group descriptor')
    const of = viewOf(descriptor)
    const high = this.#descriptor >= 64 ? of.getUint32(0x28, true) : 0
    const table = (high * 2 ** 32 + of.getUint32(8, true)) * this.#block
    const at = table + ((number - 1) % this.#inodesPerGroup) * this.#inodeSize
    const bytes = need(this.volume, at, this.#inodeSize, `inode ${number}`)
    const view = viewOf(bytes)
    const mode = view.getUint16(0, true)
    const size = view.getUint32(4, true)
    // The high half is the access list of folders in ext2.
    const more = (mode & 0xf000) === FILE ? view.getUint32(0x6c, true) * 2 ** 32 : 0
    return {
      number,
      mode,
      size: size + more,
      flags: view.getUint32(0x20, true),
      block: bytes.slice(0x28, 0x64),
      rest: bytes.slice(128),
    }
  }

  /** They follow the superblock; with META_BG each group of groups has its own. */
  #descriptorAt(group: number): number {
    const perBlock = Math.floor(this.#block / this.#descriptor)
    const index = Math.floor(group / perBlock)
    const inside = (group % perBlock) * this.#descriptor
    if (this.#metaFrom === undefined || index < this.#metaFrom)
      return (this.#first + 1 + index) * this.#block + inside
    const first = index * perBlock
    // A copy of the superblock is in front of it, where the group has one: the first of a group of groups is group 0 or not a
    // power of 3, 5 or 7 unless it is small.
    const copied = first === 0 || hasSuperblock(first)
    return (this.#first + first * this.#blocksPerGroup + (copied ? 1 : 0)) * this.#block + inside
  }

  #content(inode: Inode): FileContent {
    const { size, flags, block, number } = inode
    if (!Number.isSafeInteger(size)) throw new FileSystemError(`inode ${number} claims ${size} bytes`)
    if (flags & INLINE) {
      const all = Buffer.concat([block, inlineRest(inode.rest)])
      if (size > all.length)
        throw new FileSystemError(`inode ${number} has its content where it is not looked for`)
      return new FileContent(bytesSource(all), size, [{ at: 0, length: size }])
    }
    const blocks = Math.ceil(size / this.#block)
    const extents: Extent[] = []
    if (flags & EXTENTS) this.#extents(block, blocks, extents, { next: 0, nodes: 0 }, EXTENT_DEPTH)
    else this.#mapped(block, blocks, extents)
    return new FileContent(this.volume, size, extents)
  }

  /** A node of the tree of extents: a header of 12 bytes, and entries of 12 bytes. */
  #extents(
    node: Uint8Array,
    blocks: number,
    extents: Extent[],
    done: { next: number; nodes: number },
    depth: number,
  ) {
    const view = viewOf(node)
    if (view.getUint16(0, true) !== EXTENT_MAGIC) throw new FileSystemError('a tree of extents is damaged')
    const count = view.getUint16(2, true)
    const level = view.getUint16(6, true)
    if (level > depth || 12 + 12 * count > node.length)
      throw new FileSystemError('a tree of extents is damaged: it has more entries or levels than fit')
    for (let i = 0; i < count; i++) {
      const at = 12 + 12 * i
      if (level > 0) {
        if (++done.nodes > ENTRIES_MAX) throw new FileSystemError('a tree of extents has no end')
        const place = (view.getUint16(at + 8, true) * 2 ** 32 + view.getUint32(at + 4, true)) * this.#block
        this.#extents(
          need(this.volume, place, this.#block, 'a tree of extents'),
          blocks,
          extents,
          done,
          level - 1,
        )
        continue
      }
      const first = view.getUint32(at, true)
      let length = view.getUint16(at + 4, true)
      // More than 32768: set aside, and not written yet.
      const written = length <= 0x8000
      if (!written) length -= 0x8000
      if (first < done.next) throw new FileSystemError('a tree of extents goes back')
      if (first >= blocks) return
      if (first > done.next) addExtent(extents, -1, (first - done.next) * this.#block)
      const place = (view.getUint16(at + 6, true) * 2 ** 32 + view.getUint32(at + 8, true)) * this.#block
      addExtent(extents, written ? place : -1, length * this.#block)
      done.next = first + length
    }
  }

  /** Twelve blocks, then blocks of block numbers, one, two and three deep. */
  #mapped(map: Uint8Array, blocks: number, extents: Extent[]) {
    const view = viewOf(map)
    let done = 0
    const add = (number: number) => {
      addExtent(extents, number === 0 ? -1 : number * this.#block, this.#block)
      done++
    }
    const perBlock = this.#block / 4
    const deeper = (number: number, depth: number) => {
      if (done >= blocks) return
      if (depth === 0) return add(number)
      if (number === 0) {
        const hole = Math.min(blocks - done, perBlock ** depth)
        addExtent(extents, -1, hole * this.#block)
        done += hole
        return
      }
      const numbers = viewOf(need(this.volume, number * this.#block, this.#block, 'a block of block numbers'))
      for (let i = 0; i < perBlock && done < blocks; i++) deeper(numbers.getUint32(4 * i, true), depth - 1)
    }
    for (let i = 0; i < 15; i++) deeper(view.getUint32(4 * i, true), Math.max(0, i - 11))
  }

  #entries(folder: Inode): Named[] {
    if (folder.size > FOLDER_MAX) throw new FileSystemError(`a folder claims ${folder.size} bytes`)
    const found: Named[] = []
    if (folder.flags & INLINE) {
      // The number of the folder above comes first; what did not fit goes on among the attributes.
      this.#records(folder.block.subarray(4), found)
      this.#records(inlineRest(folder.rest), found)
    } else this.#records(this.#content(folder).read(0, folder.size), found)
    return found
  }

  #records(bytes: Uint8Array, found: Named[]) {
    const view = viewOf(bytes)
    for (let at = 0; at + 8 <= bytes.length && found.length < ENTRIES_MAX; ) {
      const inode = view.getUint32(at, true)
      const length = view.getUint16(at + 4, true)
      const size = bytes[at + 6]!
      // An index of hashes looks like entries that are not used; what goes on for ever is damaged.
      if (length < 8 || at + length > bytes.length || 8 + size > length) break
      at += length
      if (inode === 0 || size === 0) continue
      const begin = at - length + 8
      const name = Buffer.from(bytes.subarray(begin, begin + size)).toString('utf8')
      const type = bytes[begin - 1]!
      if (name === '.' || name === '..') continue
      const kind = type === 2 ? 'folder' : type === 7 ? 'link' : type === 0 ? this.#kind(inode) : 'file'
      found.push({ name, inode, kind })
    }
  }

  #kind(number: number): FolderEntry['kind'] {
    const type = this.#inode(number).mode & 0xf000
    return type === FOLDER ? 'folder' : type === LINK ? 'link' : 'file'
  }
}

/** Content of inline files behind the first 60 bytes: the attribute `system.data` in the inode. @param rest of an inode behind byte 128 */
function inlineRest(rest: Uint8Array): Uint8Array {
  const none = new Uint8Array(0)
  if (rest.length < 4) return none
  const view = viewOf(rest)
  // i_extra_isize, then the attributes with a number in front.
  const first = view.getUint16(0, true) + 4
  if (first > rest.length || view.getUint32(first - 4, true) !== 0xea02_0000) return none
  for (let at = first; at + 16 <= rest.length; ) {
    const size = rest[at]!
    if (size === 0 && view.getUint32(at, true) === 0) break
    const name = Buffer.from(rest.subarray(at + 16, at + 16 + size)).toString('latin1')
    const value = first + view.getUint16(at + 2, true)
    // 7 stands for `system.`; a value with an inode of its own is elsewhere.
    if (rest[at + 1] === 7 && name === 'data' && view.getUint32(at + 4, true) === 0)
      return rest.subarray(value, value + view.getUint32(at + 8, true))
    at += 16 + ((size + 3) & ~3)
  }
  return none
}

/** Copies are in the groups 0, 1 and the powers of 3, 5 and 7 (SPARSE_SUPER). */
function hasSuperblock(group: number): boolean {
  if (group <= 1) return true
  return [3, 5, 7].some((base) => {
    let power = base
    while (power < group) power *= base
    return power === group
  })
}
