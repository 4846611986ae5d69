// The kernel in an image: the ELF file that a boot loader's configuration names, else the one that looks like a kernel in the usual
// places.
import { gunzipSync } from 'node:zlib'
import {
  type ByteSource,
  bytesSource,
  type Elf,
  ElfError,
  EM_386,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  readElf,
  SHT_SYMTAB,
} from '../elf'
import { type FileContent, FileSystemError, type FolderEntry } from './file-system'
import { openVolumes, type Volume } from './volumes'

export interface FoundKernel {
  /** In its file system, from the root. */
  path: string
  where: string
  /** `FAT16` */
  kind: string
  /** The configuration that names it; undefined: it was found by looking around. */
  named: string | undefined
  /** A FileContent of the volume, or what it unpacks to. */
  content: ByteSource
  /** Where in the image the volume begins, in bytes. */
  volumeAt: number
}

/** Where boot loaders look for their configuration: Limine, GRUB, SYSLINUX. */
const CONFIGURATIONS = [
  ...['', '/boot', '/limine', '/boot/limine', '/EFI/BOOT', '/EFI/limine'].flatMap((folder) => [
    `${folder}/limine.conf`,
    `${folder}/limine.cfg`,
  ]),
  ...['/boot/grub', '/boot/grub2', '/grub', '/grub2', '/EFI/BOOT'].map((folder) => `${folder}/grub.cfg`),
  ...['/isolinux/isolinux.cfg', '/boot/isolinux/isolinux.cfg', '/syslinux.cfg', '/syslinux/syslinux.cfg'],
  ...['/boot/syslinux/syslinux.cfg', '/boot/extlinux/extlinux.conf', '/extlinux.conf'],
]
const TEXT_MAX = 1 << 20
const NAMES_MAX = 200
const UNPACKED_MAX = 512 << 20
/** Looking around ends somewhere. */
const FOLDERS_MAX = 200
const FILES_MAX = 4000
const DEPTH = 4
const KERNEL = /^(kernel|vmlinux|vmkernel|os|boot|core|system)\b|kernel|\.(elf|sys|krn)$/i

/**
 * @param troubles gets clauses about what is there and cannot be read
 * @returns undefined when there is none
 */
export function findKernel(image: ByteSource, troubles: string[] = []): FoundKernel | undefined {
  const volumes = openVolumes(image, troubles)
  const attempt = <T>(volume: Volume, read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof FileSystemError)) throw error
      if (troubles.length < 20) troubles.push(`${volume.where}: ${error.message}`)
      return undefined
    }
  }
  const open = (volume: Volume, path: string): ByteSource | undefined =>
    attempt(volume, () => kernelFile(volume.files.open(path)))
  for (const volume of volumes) {
    for (const configuration of CONFIGURATIONS) {
      const text = attempt(volume, () => textOf(volume.files.open(configuration)))
      if (text === undefined) continue
      for (const path of namedKernels(text)) {
        // Its own file system first: what a path's device is called there says nothing here.
        for (const each of [volume, ...volumes.filter((other) => other !== volume)]) {
          const content = open(each, path)
          if (content)
            return {
              path,
              where: each.where,
              kind: each.files.kind,
              named: configuration,
              content,
              volumeAt: each.at,
            }
        }
      }
    }
  }
  let best: { score: number; found: FoundKernel } | undefined
  for (const volume of volumes) {
    for (const path of attempt(volume, () => [...filesOf(volume)]) ?? []) {
      const content = open(volume, path)
      if (!content) continue
      const score = scoreOf(path, content)
      if (best && best.score >= score) continue
      best = {
        score,
        found: {
          path,
          where: volume.where,
          kind: volume.files.kind,
          named: undefined,
          content,
          volumeAt: volume.at,
        },
      }
    }
  }
  return best?.found
}

/** Paths of kernels in the configuration of Limine (both forms), GRUB or SYSLINUX, in order. */
export function namedKernels(text: string): string[] {
  const found: string[] = []
  for (const line of text.slice(0, TEXT_MAX).split(/\r?\n/)) {
    const limine = /^\s*(?:kernel_)?path\s*[:=]\s*(\S.*?)\s*$/i.exec(line)?.[1]
    const other = /^\s*(?:multiboot2?|kernel|linux|linux16|linuxefi|append)\s+(.+?)\s*$/i.exec(line)?.[1]
    // SYSLINUX's mboot.c32 gets the kernel as its first argument.
    const words =
      limine === undefined ? (other?.split(/\s+/).filter((word) => !word.startsWith('-')) ?? []) : [limine]
    for (const word of words.slice(0, 1)) {
      const path = plainPath(word)
      if (path !== undefined && !found.includes(path) && found.length < NAMES_MAX) found.push(path)
    }
  }
  return found
}

/** Without the device in front (`boot():`, `boot:///`, `(hd0,1)`, `$root`) and the hash behind (`#...`). */
function plainPath(word: string): string | undefined {
  const path = word
    .replace(/^["']|["']$/g, '')
    .replace(/^\$?[a-z]+\([^)]*\):/i, '')
    .replace(/^\$?[a-z]+:\/\/[^/]*/i, '')
    .replace(/^\([^)]*\)/, '')
    .replace(/^\$\{?[a-z_]+\}?/i, '')
    .replace(/#[0-9a-f]{16,}$/i, '')
  return path === '' || path.includes('=') ? undefined : path.startsWith('/') ? path : `/${path}`
}

function textOf(content: FileContent | undefined): string | undefined {
  return content && Buffer.from(content.read(0, Math.min(content.size, TEXT_MAX))).toString('latin1')
}

/** The file, unpacked if it is packed by gzip, when it is an x86 ELF program. */
function kernelFile(content: FileContent | undefined): ByteSource | undefined {
  if (!content || content.size < 64) return undefined
  const head = content.read(0, 2)
  if (head[0] !== 0x1f || head[1] !== 0x8b) return elfOf(content) && content
  if (content.size > UNPACKED_MAX) return undefined
  try {
    const source = bytesSource(gunzipSync(content.read(0, content.size), { maxOutputLength: UNPACKED_MAX }))
    return elfOf(source) && source
  } catch {
    return undefined
  }
}

function elfOf(source: ByteSource): Elf | undefined {
  try {
    const elf = readElf(source)
    const { type, machine } = elf
    const ours = machine === EM_X86_64 || machine === EM_386
    return ours && (type === ET_EXEC || type === ET_DYN) ? elf : undefined
  } catch (error) {
    if (error instanceof ElfError) return undefined
    throw error
  }
}

/** Paths, level by level from the root; folders that boot loaders use first. */
function* filesOf({ files }: Volume): Generator<string> {
  const todo: { path: string; depth: number }[] = [{ path: '', depth: 0 }]
  let count = 0
  for (let i = 0; i < todo.length && i < FOLDERS_MAX; i++) {
    const { path, depth } = todo[i]!
    let entries: FolderEntry[] = []
    try {
      entries = files.list(path) ?? []
    } catch (error) {
      if (!(error instanceof FileSystemError)) throw error
    }
    for (const { name, kind } of entries) {
      if (++count > FILES_MAX) return
      if (kind === 'folder' && depth < DEPTH) todo.push({ path: `${path}/${name}`, depth: depth + 1 })
      // Modules and libraries are no kernels, and there are many.
      else if (kind === 'file' && !/\.(so(\.\d+)*|ko|o|a|mod|c32|efi|cfg|conf|txt|gz)$/i.test(name))
        yield `${path}/${name}`
    }
  }
}

/** A kernel's name, code at the top of the address space or at 1 MiB, and symbols speak for it. */
function scoreOf(path: string, source: ByteSource): number {
  const elf = elfOf(source)!
  const name = path.slice(path.lastIndexOf('/') + 1)
  let score = KERNEL.test(name) ? 4 : 0
  if (elf.entry >> 63n === 1n) score += 4
  else if (elf.type === ET_EXEC && elf.entry >= 0x10_0000n && elf.entry < 0x1000_0000n) score += 1
  if (elf.sections.some(({ type }) => type === SHT_SYMTAB)) score += 2
  // Programs for an operating system have an interpreter (PT_INTERP).
  if (elf.segments.some(({ type }) => type === 3)) score -= 6
  if (path.startsWith('/boot') || path.lastIndexOf('/') === 0) score += 1
  return score
}
