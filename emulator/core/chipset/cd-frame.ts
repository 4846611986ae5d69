// The whole 2352 bytes of a CD-ROM sector, mode 1, made from its 2048 bytes of data: sync pattern, header, error detection
// and correction. Reference: ECMA-130, clauses 14 and annexes A, B.

const DATA: u32 = 2048
const FRAME: u32 = 2352
const SYNC: u32 = 0
const HEADER: u32 = 12
const USER: u32 = 16
const EDC: u32 = 2064
const ECC_P: u32 = 2076
const ECC_Q: u32 = 2248
/** Sectors before the first of the volume: two seconds. */
const PREGAP: u32 = 150

// Which parts of a sector READ CD hands over (MMC-3 6.17, byte 9)
export const PART_SYNC: u32 = 0x80
export const PART_HEADER: u32 = 0x20
export const PART_USER: u32 = 0x10
export const PART_ECC: u32 = 0x08

/** Bytes of a mode 1 sector that `parts` name. */
export function cdFrameSize(parts: u32): u32 {
  return (
    (parts & PART_SYNC ? 12 : 0) +
    (parts & PART_HEADER ? 4 : 0) +
    (parts & PART_USER ? DATA : 0) +
    (parts & PART_ECC ? FRAME - EDC : 0)
  )
}

/** Minute, second and frame of sector `lba` as three bytes in bits 23-0. */
export function cdAddress(lba: u32): u32 {
  const at = lba + PREGAP
  return ((at / (60 * 75)) << 16) | (((at / 75) % 60) << 8) | (at % 75)
}

function bcd(value: u32): u32 {
  return ((value / 10) << 4) | (value % 10)
}

/**
 * `count` sectors of data at `buffer` become `count` frames of `size` bytes with the given parts, in the same place, where
 * there is room for max(size, 2048) bytes each. `scratch`: 2352 bytes.
 */
export function cdFrames(buffer: usize, scratch: usize, count: u32, lba: u32, size: u32, parts: u32): void {
  // Frames that are longer than the data go from the last to the first, shorter ones the other way
  for (let i: u32 = 0; i < count; i++) {
    const n = size > DATA ? count - 1 - i : i
    frame(scratch, buffer + n * DATA, buffer + n * size, lba + n, parts)
  }
}

/** One frame, put together whole at `f` and handed over in parts. */
function frame(f: usize, data: usize, target: usize, lba: u32, parts: u32): void {
  memory.copy(f + USER, data, DATA)
  store<u8>(f, 0, SYNC)
  memory.fill(f + 1, 0xff, 10)
  store<u8>(f, 0, 11)
  const address = cdAddress(lba)
  store<u8>(f + HEADER, bcd(address >> 16))
  store<u8>(f + HEADER, bcd((address >> 8) & 0xff), 1)
  store<u8>(f + HEADER, bcd(address & 0xff), 2)
  store<u8>(f + HEADER, 1, 3) // mode 1
  if (parts & PART_ECC) {
    store<u32>(f + EDC, edc(f, EDC))
    memory.fill(f + EDC + 4, 0, 8)
    // P: 43 columns of 24 bytes, two bytes apart; Q: 26 diagonals of 43 (annex A)
    parity(f + HEADER, 86, 24, 2, 86, f + ECC_P)
    parity(f + HEADER, 52, 43, 86, 88, f + ECC_Q)
  }
  let at = target
  if (parts & PART_SYNC) {
    memory.copy(at, f + SYNC, 12)
    at += 12
  }
  if (parts & PART_HEADER) {
    memory.copy(at, f + HEADER, 4)
    at += 4
  }
  if (parts & PART_USER) {
    memory.copy(at, f + USER, DATA)
    at += DATA
  }
  if (parts & PART_ECC) memory.copy(at, f + EDC, FRAME - EDC)
}

/** CRC-32 with the polynomial (x^16 + x^15 + x^2 + 1)(x^16 + x^2 + x + 1), least significant bit first (14.3). */
function edc(from: usize, length: u32): u32 {
  let crc: u32 = 0
  for (let i: u32 = 0; i < length; i++) {
    crc ^= load<u8>(from + i)
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? <u32>0xd8018001 : 0)
  }
  return crc
}

/** Multiplication by x in GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1. */
@inline
function times2(a: u32): u32 {
  return ((a << 1) ^ (a & 0x80 ? 0x11d : 0)) & 0xff
}

/**
 * The two parity bytes of each of `majors` code words over header, data, EDC and zeros (and P, for Q): byte pairs are
 * interleaved, so major m begins at byte (m >> 1) * `majorStep` + (m & 1) and its bytes lie `minorStep` apart, around the
 * end. A word with values d at the end of which the syndromes with roots 1 and x vanish has
 * b = (x * Horner(d) + sum(d)) / (x + 1), a = b + sum(d).
 */
function parity(from: usize, majors: u32, minors: u32, majorStep: u32, minorStep: u32, to: usize): void {
  const size = majors * minors
  for (let major: u32 = 0; major < majors; major++) {
    let index = (major >> 1) * majorStep + (major & 1)
    let horner: u32 = 0
    let sum: u32 = 0
    for (let minor: u32 = 0; minor < minors; minor++) {
      const value = <u32>load<u8>(from + index)
      index += minorStep
      if (index >= size) index -= size
      horner = times2(horner ^ value)
      sum ^= value
    }
    const first = divide3(times2(horner) ^ sum)
    store<u8>(to + major, first)
    store<u8>(to + majors + major, first ^ sum)
  }
}

/** The element that times x + 1 (3) gives `a`: 3 generates the field's 255 elements, so 3^254 is its inverse, F4h. */
function divide3(a: u32): u32 {
  let product: u32 = 0
  let shifted = a
  for (let bits: u32 = 0xf4; bits; bits >>= 1) {
    if (bits & 1) product ^= shifted
    shifted = times2(shifted)
  }
  return product
}
