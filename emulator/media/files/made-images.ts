// Small images for tests, made byte by byte after the specifications: every machine can make them, whatever tools it has.

export type Made = { [path: string]: Uint8Array }

/** FAT12 on a floppy of 1.44 MB, with long names; clusters of each file are taken from both ends in turn, so that they lie apart. */
export function fatFloppy(files: Made): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(2880 * 512)
  const view = new DataView(image.buffer)
  image.set([0xeb, 0x3c, 0x90], 0)
  image.set(Buffer.from('RINGSIDE'), 3)
  for (const [at, value] of [
    ...[
      [11, 512],
      [14, 1],
      [17, 224],
      [19, 2880],
      [22, 9],
      [24, 18],
      [26, 2],
    ],
  ] as [number, number][])
    view.setUint16(at, value, true)
  image.set([1], 13)
  image.set([2], 16)
  image.set([0xf0], 21)
  image.set(Buffer.from('MADE       FAT12   '), 43)
  image.set([0x55, 0xaa], 510)
  const setFat = (cluster: number, value: number) => {
    for (const table of [512, 512 * 10]) {
      const at = table + cluster + (cluster >> 1)
      const old = view.getUint16(at, true)
      view.setUint16(at, cluster & 1 ? (old & 0xf) | (value << 4) : (old & 0xf000) | value, true)
    }
  }
  setFat(0, 0xff0)
  setFat(1, 0xfff)
  let low = 2
  let high = 2800
  const take = () => ((low + high) & 1 ? low++ : high--)
  const at = (cluster: number) => (33 + cluster - 2) * 512
  const write = (bytes: Uint8Array): number => {
    const clusters = Array.from({ length: Math.ceil(bytes.length / 512) }, take)
    for (const [i, cluster] of clusters.entries()) {
      image.set(bytes.subarray(i * 512, (i + 1) * 512), at(cluster))
      setFat(cluster, clusters[i + 1] ?? 0xfff)
    }
    return clusters[0] ?? 0
  }
  const folder = (prefix: string): Uint8Array => {
    const entries: Uint8Array[] = []
    let number = 0
    const names = new Set(
      Object.keys(files)
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length).split('/')[0]!),
    )
    for (const name of names) {
      const content = files[prefix + name]
      const bytes = content ?? folder(`${prefix}${name}/`)
      const short = Buffer.from(`MADE~${String(++number).padEnd(3)}${'EXT'}`)
      let sum = 0
      for (const byte of short) sum = (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff
      const parts = Math.ceil(name.length / 13)
      for (let part = parts; part >= 1; part--) {
        const entry = new Uint8Array(32)
        const of = new DataView(entry.buffer)
        entry.set([part | (part === parts ? 0x40 : 0)], 0)
        entry.set([15], 11)
        entry.set([sum], 13)
        for (const [i, offset] of [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30].entries()) {
          const index = (part - 1) * 13 + i
          of.setUint16(
            offset,
            index < name.length ? name.charCodeAt(index) : index === name.length ? 0 : 0xffff,
            true,
          )
        }
        entries.push(entry)
      }
      const entry = new Uint8Array(32)
      entry.set(short)
      entry.set([content ? 0x20 : 0x10], 11)
      new DataView(entry.buffer).setUint16(26, write(bytes), true)
      new DataView(entry.buffer).setUint32(28, content ? bytes.length : 0, true)
      entries.push(entry)
    }
    return Buffer.concat(prefix === '' ? entries : [...entries, new Uint8Array(32)])
  }
  image.set(folder(''), 19 * 512)
  return image
}

/** ISO 9660 whose files have dull names, and their own by Rock Ridge, one letter of which is in a continuation area. */
export function isoImage(files: Made): Uint8Array<ArrayBuffer> {
  const sectors: Uint8Array[] = []
  let next = 19
  const put = (bytes: Uint8Array): number => {
    const first = next
    const padded = new Uint8Array(Math.max(1, Math.ceil(bytes.length / 2048)) * 2048)
    padded.set(bytes)
    sectors[first] = padded
    next += padded.length / 2048
    return first
  }
  const both = (value: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32LE(value, 0)
    bytes.writeUInt32BE(value, 4)
    return bytes
  }
  const record = (name: Buffer, extent: number, size: number, isFolder: boolean, use: Uint8Array) => {
    const pad = name.length % 2 === 0 ? 1 : 0
    const bytes = Buffer.alloc(33 + name.length + pad + use.length + (use.length % 2))
    bytes[0] = bytes.length
    both(extent).copy(bytes, 2)
    both(size).copy(bytes, 10)
    bytes[25] = isFolder ? 2 : 0
    bytes[28] = 1
    bytes[32] = name.length
    name.copy(bytes, 33)
    bytes.set(use, 33 + name.length + pad)
    return bytes
  }
  const nm = (name: string, goesOn: boolean) =>
    Buffer.from([...Buffer.from('NM'), 5 + name.length, 1, goesOn ? 1 : 0, ...Buffer.from(name)])
  const folder = (prefix: string, root: boolean): { extent: number; size: number } => {
    const names = new Set(
      Object.keys(files)
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length).split('/')[0]!),
    )
    const records: Buffer[] = []
    let number = 0
    for (const name of names) {
      const content = files[prefix + name]
      const { extent, size } = content
        ? { extent: put(content), size: content.length }
        : folder(`${prefix}${name}/`, false)
      const rest = put(nm(name.slice(-1), false))
      const ce = Buffer.concat([Buffer.from([...Buffer.from('CE'), 28, 1]), both(rest), both(0), both(6)])
      const dull = Buffer.from(`F${number++}${content ? '.;1' : ''}`)
      records.push(record(dull, extent, size, !content, Buffer.concat([nm(name.slice(0, -1), true), ce])))
    }
    const sp = root ? Buffer.from([...Buffer.from('SP'), 7, 1, 0xbe, 0xef, 0]) : Buffer.alloc(0)
    const all = (extent: number, size: number) => {
      const dots = [
        record(Buffer.from([0]), extent, size, true, sp),
        record(Buffer.from([1]), extent, size, true, Buffer.alloc(0)),
      ]
      // Records do not cross sectors.
      let bytes = Buffer.alloc(0)
      for (const each of [...dots, ...records]) {
        const left = 2048 - (bytes.length % 2048)
        if (left < each.length) bytes = Buffer.concat([bytes, Buffer.alloc(left)])
        bytes = Buffer.concat([bytes, each])
      }
      return Buffer.concat([bytes, Buffer.alloc((2048 - (bytes.length % 2048)) % 2048)])
    }
    const { length } = all(0, 0)
    const extent = next
    put(all(extent, length))
    return { extent, size: length }
  }
  const root = folder('', true)
  const image = new Uint8Array(next * 2048)
  for (const [i, bytes] of sectors.entries()) if (bytes) image.set(bytes, i * 2048)
  const descriptor = Buffer.alloc(2048)
  descriptor[0] = 1
  descriptor.write('CD001\x01', 1, 'latin1')
  descriptor.write('MADE'.padEnd(32), 40, 'latin1')
  both(next).copy(descriptor, 80)
  descriptor.writeUInt16LE(2048, 128)
  record(Buffer.from([0]), root.extent, root.size, true, Buffer.alloc(0)).copy(descriptor, 156)
  image.set(descriptor, 16 * 2048)
  image.set([255, ...Buffer.from('CD001\x01')], 17 * 2048)
  return image
}

/** ext2 with blocks of 1 KiB, one group, and files of up to 12 + 256 blocks with a hole where a block is all zero. */
export function extImage(files: Made): Uint8Array<ArrayBuffer> {
  const BLOCK = 1024
  const image = new Uint8Array(4096 * BLOCK)
  const view = new DataView(image.buffer)
  const u32 = (at: number, value: number) => view.setUint32(at, value, true)
  const superblock: [number, number][] = [
    ...([
      [0, 512],
      [4, 4096],
      [0x14, 1],
      [0x18, 0],
      [0x20, 8192],
      [0x28, 512],
      [0x4c, 1],
      [0x54, 11],
    ] as [number, number][]),
    ...([[0x60, 2]] as [number, number][]),
  ]
  for (const [at, value] of superblock) u32(1024 + at, value)
  view.setUint16(1024 + 0x38, 0xef53, true)
  view.setUint16(1024 + 0x58, 128, true)
  image.set(Buffer.from('made'), 1024 + 0x78)
  u32(2 * BLOCK + 8, 5)
  let block = 5 + 64
  let inode = 11
  const put = (bytes: Uint8Array): number => {
    image.set(bytes, block * BLOCK)
    return block++
  }
  const make = (number: number, mode: number, bytes: Uint8Array) => {
    const at = 5 * BLOCK + (number - 1) * 128
    view.setUint16(at, mode, true)
    u32(at + 4, bytes.length)
    view.setUint16(at + 26, 1, true)
    const numbers: number[] = []
    for (let from = 0; from < bytes.length; from += BLOCK) {
      const part = bytes.subarray(from, from + BLOCK)
      numbers.push(part.every((byte) => byte === 0) ? 0 : put(part))
    }
    if (numbers.length > 12 + 256) throw new Error('the file is too long for this')
    for (const [i, value] of numbers.slice(0, 12).entries()) u32(at + 40 + 4 * i, value)
    if (numbers.length > 12)
      u32(at + 40 + 48, put(new Uint8Array(Uint32Array.from(numbers.slice(12)).buffer)))
  }
  const folder = (prefix: string, number: number) => {
    const names = new Set(
      Object.keys(files)
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length).split('/')[0]!),
    )
    const entries: [number, number, string][] = [
      [number, 2, '.'],
      [number, 2, '..'],
    ]
    for (const name of names) {
      const own = ++inode
      const content = files[prefix + name]
      entries.push([own, content ? 1 : 2, name])
      if (content) make(own, 0x81a4, content)
      else folder(`${prefix}${name}/`, own)
    }
    const bytes = Buffer.alloc(BLOCK)
    let at = 0
    for (const [i, [own, type, name]] of entries.entries()) {
      const size = i === entries.length - 1 ? BLOCK - at : (8 + name.length + 3) & ~3
      bytes.writeUInt32LE(own, at)
      bytes.writeUInt16LE(size, at + 4)
      bytes[at + 6] = name.length
      bytes[at + 7] = type
      bytes.write(name, at + 8)
      at += size
    }
    make(number, 0x41ed, bytes)
  }
  folder('', 2)
  return image
}

/** A disk with an MBR whose first partition is this. */
export function inPartition(volume: Uint8Array, type = 0x83): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(2048 * 512 + volume.length)
  const view = new DataView(image.buffer)
  image.set([0x80], 446)
  image.set([type], 450)
  view.setUint32(454, 2048, true)
  view.setUint32(458, volume.length / 512, true)
  image.set([0x55, 0xaa], 510)
  image.set(volume, 2048 * 512)
  return image
}
