// A bitmap's words for its table: runs of words that are alike become one row.

export interface WordRun {
  /** Number of the first word, and how many. */
  word: number
  words: number
  /** The word's value, lowest bit first in memory: little-endian 64 bits. */
  value: bigint
  /** Of all its words. */
  free: number
}

/** Whether bit n says used. */
export const isUsed = (bytes: Uint8Array, n: number, used: 0 | 1): boolean =>
  ((bytes[n >> 3]! >> (n & 7)) & 1) === used

/** @param most rows that are wanted; `more` says how many are missing */
export function wordRuns(
  bytes: Uint8Array,
  count: number,
  used: 0 | 1,
  most: number,
): { rows: WordRun[]; more: number } {
  const rows: WordRun[] = []
  let more = 0
  let last: WordRun | undefined
  const known = Math.min(count, bytes.length * 8)
  for (let word = 0; word * 64 < known; word++) {
    let value = 0n
    for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(bytes[word * 8 + i] ?? 0)
    let free = 0
    for (let n = word * 64; n < Math.min(known, word * 64 + 64); n++) if (!isUsed(bytes, n, used)) free++
    if (last && last.value === value && last.free === free * last.words) {
      last.words++
      last.free += free
      continue
    }
    last = { word, words: 1, value, free }
    if (rows.length < most) rows.push(last)
    else more++
  }
  return { rows, more }
}
