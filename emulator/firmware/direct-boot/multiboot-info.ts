// The information structure a Multiboot kernel is handed: the part that the host knows. multiboot.asm puts what the
// machine knows behind it. Multiboot 0.6.96, section 3.3; Multiboot2 2.0, section 3.6.
import type { Chunk } from './chunks'

export interface PlacedModule {
  start: number
  /** First address behind it. */
  end: number
  name: string
  text: string
}

export interface PlacedSections {
  chunks: Chunk[]
  /** The section headers, with the addresses where the sections lie. */
  headers: Uint8Array
  end: number
  count: number
  /** Of one header. */
  size: number
  /** Index of the section with the names. */
  names: number
}

export interface Information {
  version: 1 | 2
  name: string
  append: string
  modules: readonly PlacedModule[]
  sections: PlacedSections | undefined
  loadBase: number | undefined
}

const LOADER_NAME1 = 'Ringside'
/**
 * Kernels that take both versions (Xen) drop the first word of every text as the kernel's path unless the loader's name has
 * "GRUB 2" in it: GRUB 2 is the one loader whose texts begin with the first argument, and ours of Multiboot 2 are like its.
 */
const LOADER_NAME2 = 'Ringside (like GRUB 2)'

/** The structure's size is known before its address is; `at` makes it for one. */
export interface Structure {
  /** A multiple of 8. */
  size: number
  at(address: number): Uint8Array
}

export function informationStructure(information: Information): Structure {
  return information.version === 1 ? structure1(information) : structure2(information)
}

const text = (value: string) => new TextEncoder().encode(`${value}\0`)
const align8 = (value: number) => Math.ceil(value / 8) * 8

// ---------------------------------------------------------------------------------------------------------
// Multiboot

const SIZE1 = 120
const HAS_COMMAND_LINE = 1 << 2
const HAS_MODULES = 1 << 3
const HAS_SECTIONS = 1 << 5
const HAS_LOADER_NAME = 1 << 9

/** As QEMU does: the kernel's and a module's text begin with their paths, which is what programs count on. */
function structure1({ name, append, modules, sections }: Information): Structure {
  const commandLine = text(append === '' ? name : `${name} ${append}`)
  const loader = text(LOADER_NAME1)
  const strings = modules.map((module) =>
    text(module.text === '' ? module.name : `${module.name} ${module.text}`),
  )
  const modulesAt = SIZE1
  const headersAt = modulesAt + modules.length * 16
  let end = align8(headersAt + (sections?.headers.length ?? 0))
  const place = (bytes: Uint8Array) => {
    const at = end
    end += bytes.length
    return at
  }
  const commandLineAt = place(commandLine)
  const loaderAt = place(loader)
  const stringsAt = strings.map(place)
  const size = align8(end)
  return {
    size,
    at(address) {
      const bytes = new Uint8Array(size)
      const view = new DataView(bytes.buffer)
      const set = (at: number, value: number) => view.setUint32(at, value, true)
      let flags = HAS_COMMAND_LINE | HAS_MODULES | HAS_LOADER_NAME
      bytes.set(commandLine, commandLineAt)
      set(16, address + commandLineAt)
      set(20, modules.length)
      set(24, address + modulesAt)
      modules.forEach((module, i) => {
        const at = modulesAt + i * 16
        set(at, module.start)
        set(at + 4, module.end)
        set(at + 8, address + stringsAt[i]!)
        bytes.set(strings[i]!, stringsAt[i]!)
      })
      if (sections) {
        flags |= HAS_SECTIONS
        set(28, sections.count)
        set(32, sections.size)
        set(36, address + headersAt)
        set(40, sections.names)
        bytes.set(sections.headers, headersAt)
      }
      set(64, address + loaderAt)
      bytes.set(loader, loaderAt)
      set(0, flags)
      return bytes
    },
  }
}

// ---------------------------------------------------------------------------------------------------------
// Multiboot 2

const TAG_COMMAND_LINE = 1
const TAG_LOADER_NAME = 2
const TAG_MODULE = 3
const TAG_SECTIONS = 9
const TAG_LOAD_BASE = 21

/** As GRUB does: the texts are what stands behind the paths. */
function structure2({ append, modules, sections, loadBase }: Information): Structure {
  const tags = [
    tag(TAG_COMMAND_LINE, [], text(append)),
    tag(TAG_LOADER_NAME, [], text(LOADER_NAME2)),
    ...modules.map((module) => tag(TAG_MODULE, [module.start, module.end], text(module.text))),
    ...(sections
      ? [tag(TAG_SECTIONS, [sections.count, sections.size, sections.names], sections.headers)]
      : []),
    ...(loadBase === undefined ? [] : [tag(TAG_LOAD_BASE, [loadBase], new Uint8Array(0))]),
  ]
  const size = 8 + tags.reduce((sum, { length }) => sum + length, 0)
  const bytes = new Uint8Array(size)
  let at = 8
  for (const each of tags) {
    bytes.set(each, at)
    at += each.length
  }
  return { size, at: () => bytes }
}

/** A tag, padded to 8 bytes (its size field leaves the padding out). */
function tag(type: number, fields: readonly number[], content: Uint8Array): Uint8Array {
  const size = 8 + fields.length * 4 + content.length
  const bytes = new Uint8Array(align8(size))
  const view = new DataView(bytes.buffer)
  ;[type, size, ...fields].forEach((value, i) => {
    view.setUint32(i * 4, value, true)
  })
  bytes.set(content, 8 + fields.length * 4)
  return bytes
}
