// What the bits of a paging-structure entry say, for every level and kind of paging (SDM 3A 4.3-4.6, tables 4-3 to
// 4-20). One entry gives one list of fields, highest bit first, so that nothing of the 32 or 64 bits is left unsaid.
import type { PagingKind } from './page-walk'

export interface EntryShape {
  kind: Exclude<PagingKind, 'none'>
  /** 1 page table, 2 page directory, 3 page-directory pointer table, 4 PML4, 5 PML5. */
  level: number
  /** It maps a page: level 1, or PS is set and has effect. */
  leaf: boolean
  /** EFER.NXE; without it bit 63 is reserved. */
  nxe: boolean
  /** CR4.PGE; without it G is ignored. */
  pge: boolean
  /** CR4.PKE or CR4.PKS; without them bits 62:59 are ignored. */
  keys: boolean
  /** Width of a physical address, bits. */
  physicalBits: number
}

export interface EntryField {
  /** As the manual abbreviates it: P, R/W, U/S, ... */
  name: string
  high: number
  low: number
  value: bigint
  /** What this value does, in one sentence. */
  meaning: string
  /** `used`: it decides about the translation; `free`: ignored, the system's own; `reserved`: must be zero. */
  role: 'used' | 'free' | 'reserved'
}

/** What an entry of this shape is called: PML5E, PML4E, PDPTE, PDE, PTE. */
export const ENTRY_NAMES = ['', 'PTE', 'PDE', 'PDPTE', 'PML4E', 'PML5E'] as const

/** What the tables of a level are called. */
export const TABLE_NAMES = [
  '',
  'page table',
  'page directory',
  'page-directory pointer table',
  'PML4',
  'PML5',
] as const

interface Described {
  name: string
  high: number
  low: number
  role: EntryField['role']
  meaning: (value: bigint) => string
}

const yes = (on: string, off: string) => (value: bigint) => (value === 0n ? off : on)

/**
 * The fields of an entry, highest bit first.
 * @param entry unsigned; 32 bits for 32-bit paging, else 64
 */
export function entryFields(shape: EntryShape, entry: bigint): EntryField[] {
  const wide = shape.kind !== '32-bit'
  const list = (entry & 1n) === 0n ? absent(wide) : wide ? fields64(shape) : fields32(shape)
  return list.map(({ name, high, low, role, meaning }) => {
    const value = (entry >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n)
    return { name, high, low, value, role, meaning: meaning(value) }
  })
}

/** Whether a reserved bit is set: every use of the entry raises #PF with RSVD (SDM 3A 4.7). */
export const isReservedViolation = (fields: readonly EntryField[]): boolean =>
  fields.some(({ role, value }) => role === 'reserved' && value !== 0n)

/** P = 0: the processor looks at nothing else (SDM 3A table 4-20 and others). */
const absent = (wide: boolean): Described[] => [
  {
    name: 'free',
    high: wide ? 63 : 31,
    low: 1,
    role: 'free',
    meaning: yes(
      'Not present: these bits are the kernel’s own, such as a place in swap',
      'Not present, nothing kept',
    ),
  },
  { name: 'P', high: 0, low: 0, role: 'used', meaning: () => 'Not present: every access raises #PF' },
]

function fields64(shape: EntryShape): Described[] {
  const { kind, level, leaf, nxe, keys, physicalBits } = shape
  const long = kind !== 'PAE'
  if (!long && level === 3) return pdpte(physicalBits)
  const list: Described[] = [
    nxe
      ? {
          name: 'XD',
          high: 63,
          low: 63,
          role: 'used',
          meaning: yes('Execute disable: no instruction is fetched from here', 'Execution is allowed'),
        }
      : {
          name: 'XD',
          high: 63,
          low: 63,
          role: 'reserved',
          meaning: () => 'Reserved while EFER.NXE is clear',
        },
  ]
  if (!long) list.push(reserved(62, 52, 'Reserved outside long mode'))
  else if (leaf && keys)
    list.push(
      {
        name: 'key',
        high: 62,
        low: 59,
        role: 'used',
        meaning: (key) => `Protection key ${key}: PKRU or IA32_PKRS decides about data accesses`,
      },
      free(58, 52),
    )
  else list.push(free(62, 52))
  list.push(reserved(51, physicalBits, 'Beyond the processor’s physical addresses'))
  list.push(
    ...(leaf && level > 1 ? largeAddress(level, physicalBits) : [address(physicalBits - 1, 12, leaf)]),
  )
  list.push(free(11, 9), ...low(shape))
  return list.filter(({ high, low }) => high >= low)
}

/** PAE paging's PDPTEs have no rights (SDM 3A table 4-8). */
const pdpte = (physicalBits: number): Described[] => [
  reserved(63, physicalBits, 'Reserved: MOV to CR3 raises #GP'),
  address(physicalBits - 1, 12, false),
  free(11, 9),
  reserved(8, 5, 'Reserved: MOV to CR3 raises #GP'),
  caching(4),
  caching(3),
  reserved(2, 1, 'Reserved: a PDPTE of PAE paging has no rights'),
  present,
]

/** Frame of a 2 MiB or 1 GiB page: PAT stands at bit 12, the bits up to the frame are reserved. */
function largeAddress(level: number, physicalBits: number): Described[] {
  const frame = level === 3 ? 30 : 21
  return [
    address(physicalBits - 1, frame, true),
    reserved(frame - 1, 13, 'Reserved: the page does not start on its own size'),
    { name: 'PAT', high: 12, low: 12, role: 'used', meaning: memoryType },
  ]
}

function fields32(shape: EntryShape): Described[] {
  const { level, leaf } = shape
  if (level === 2 && leaf)
    return [
      address(31, 22, true),
      reserved(21, 21, 'Reserved'),
      {
        name: 'high',
        high: 20,
        low: 13,
        role: 'used',
        meaning: (value) => `PSE-36: bits 39:32 of the frame’s address are ${value.toString(16)}h`,
      },
      { name: 'PAT', high: 12, low: 12, role: 'used', meaning: memoryType },
      free(11, 9),
      ...low(shape),
    ]
  return [address(31, 12, leaf), free(11, 9), ...low(shape)]
}

/** Bits 8:0, which all levels have in common. */
function low({ kind, level, leaf, pge }: EntryShape): Described[] {
  const list: Described[] = []
  if (leaf)
    list.push(
      pge
        ? {
            name: 'G',
            high: 8,
            low: 8,
            role: 'used',
            meaning: yes(
              'Global: MOV to CR3 leaves its translation in the TLB',
              'Not global: MOV to CR3 drops its translation',
            ),
          }
        : free(8, 8, 'G', 'Ignored while CR4.PGE is clear'),
    )
  else list.push(free(8, 8))
  list.push(pageSize(kind, level, leaf))
  list.push(
    leaf
      ? {
          name: 'D',
          high: 6,
          low: 6,
          role: 'used',
          meaning: yes('Dirty: something was written to the page', 'Clean: nothing was written to the page'),
        }
      : free(6, 6),
  )
  list.push(
    {
      name: 'A',
      high: 5,
      low: 5,
      role: 'used',
      meaning: yes(
        'Accessed: used by a translation',
        'Not accessed: no translation has used it, so none can be in a TLB',
      ),
    },
    caching(4),
    caching(3),
    {
      name: 'U/S',
      high: 2,
      low: 2,
      role: 'used',
      meaning: yes('User: ring 3 may come through here', 'Supervisor: ring 3 may not come through here'),
    },
    {
      name: 'R/W',
      high: 1,
      low: 1,
      role: 'used',
      meaning: yes('Writable', 'Read-only: ring 3 may not write, and ring 0 neither while CR0.WP is set'),
    },
    present,
  )
  return list
}

function pageSize(kind: EntryShape['kind'], level: number, leaf: boolean): Described {
  if (level === 1) return { name: 'PAT', high: 7, low: 7, role: 'used', meaning: memoryType }
  if (level >= 4) return reserved(7, 7, 'Reserved: no page is this large')
  if (leaf) {
    const size = level === 3 ? '1 GiB' : kind === '32-bit' ? '4 MiB' : '2 MiB'
    return { name: 'PS', high: 7, low: 7, role: 'used', meaning: () => `Page size: this entry maps ${size}` }
  }
  return {
    name: 'PS',
    high: 7,
    low: 7,
    role: 'used',
    meaning: yes('Page size: without effect, CR4.PSE is clear', `It leads to a ${TABLE_NAMES[level - 1]}`),
  }
}

const present: Described = { name: 'P', high: 0, low: 0, role: 'used', meaning: () => 'Present' }

const caching = (bit: 3 | 4): Described => ({
  name: bit === 4 ? 'PCD' : 'PWT',
  high: bit,
  low: bit,
  role: 'used',
  meaning: yes(
    bit === 4
      ? 'Cache disable: chooses the memory type, with PWT and PAT'
      : 'Write-through: chooses the memory type, with PCD and PAT',
    bit === 4 ? 'Caching as the memory type says' : 'Write-back, if the memory type says so',
  ),
})

const memoryType = yes(
  'Chooses the upper four entries of IA32_PAT',
  'Chooses among the lower four entries of IA32_PAT',
)

const address = (high: number, low: number, leaf: boolean): Described => ({
  name: leaf ? 'frame' : 'table',
  high,
  low,
  role: 'used',
  meaning: (value) =>
    `${leaf ? 'The page begins' : 'The next table lies'} at physical ${(value << BigInt(low)).toString(16).padStart(8, '0')}h`,
})

const free = (
  high: number,
  low: number,
  name = 'free',
  why = 'Ignored by the processor: the kernel’s own',
): Described => ({
  name,
  high,
  low,
  role: 'free',
  meaning: () => why,
})

const reserved = (high: number, low: number, why: string): Described => ({
  name: 'reserved',
  high,
  low,
  role: 'reserved',
  meaning: yes(`${why}: set, so every use raises #PF with RSVD`, why),
})
