// Processor models (`--cpu`): what CPUID does not offer of what the core has, as HDR_CPU_WITHHELD wants it. The words
// are those of emulator/core/cpu/cpuid.ts; the models are the levels of the x86-64 psABI, with the system features
// in v3 only.

/** 1.ECX, 1.EDX, 7.EBX, 7.ECX, 7.EDX, 80000001h.ECX, 80000001h.EDX, 0Dh/1.EAX */
const WORDS = 8
const ALL = 0xffff_ffff
/** SSE3 SSSE3 CX16 SSE4.1 SSE4.2 POPCNT */
const V2_1_ECX = 0x0098_2201

const MODELS: Record<string, readonly number[]> = {
  v1: [ALL, 0, ALL, ALL, ALL, ALL, 0, ALL],
  v2: [ALL & ~V2_1_ECX, 0, ALL, ALL, ALL, ALL & ~1, 0, ALL],
  v3: [0, 0, 0, 0, 0, 0, 0, 0],
}

/** Name: word, bit. */
const FEATURES: Record<string, readonly [number, number]> = {
  sse3: [0, 0],
  pclmulqdq: [0, 1],
  monitor: [0, 3],
  ssse3: [0, 9],
  fma: [0, 12],
  cx16: [0, 13],
  pcid: [0, 17],
  'sse4.1': [0, 19],
  'sse4.2': [0, 20],
  movbe: [0, 22],
  popcnt: [0, 23],
  aes: [0, 25],
  xsave: [0, 26],
  avx: [0, 28],
  f16c: [0, 29],
  rdrand: [0, 30],
  fsgsbase: [2, 0],
  tsc_adjust: [2, 1],
  bmi1: [2, 3],
  avx2: [2, 5],
  smep: [2, 7],
  bmi2: [2, 8],
  erms: [2, 9],
  invpcid: [2, 10],
  rdseed: [2, 18],
  adx: [2, 19],
  smap: [2, 20],
  clflushopt: [2, 23],
  clwb: [2, 24],
  sha: [2, 29],
  umip: [3, 2],
  pku: [3, 3],
  la57: [3, 16],
  rdpid: [3, 22],
  pks: [3, 31],
  arch_capabilities: [4, 29],
  lahf: [5, 0],
  lzcnt: [5, 5],
  nx: [6, 20],
  '1gpages': [6, 26],
  rdtscp: [6, 27],
  xsaveopt: [7, 0],
  xsavec: [7, 1],
  xgetbv1: [7, 2],
  xsaves: [7, 3],
}

/** What a feature cannot do without: what it needs comes along with it, and what is taken away takes it along. */
const NEEDS: Record<string, readonly string[]> = {
  ssse3: ['sse3'],
  'sse4.1': ['ssse3'],
  'sse4.2': ['sse4.1'],
  avx: ['xsave', 'sse4.2'],
  avx2: ['avx'],
  fma: ['avx'],
  f16c: ['avx'],
  xsaveopt: ['xsave'],
  xsavec: ['xsave'],
  xgetbv1: ['xsave'],
  xsaves: ['xsavec'],
  invpcid: ['pcid'],
}

export const CPU_DEFAULT = 'v3'
export const CPU_FEATURES = Object.keys(FEATURES)

/**
 * @param text a model, then features added or taken away: `v2,+avx,-pcid`
 * @returns the words of HDR_CPU_WITHHELD
 * @throws RangeError naming what is unknown
 */
export function cpuWithheld(text: string): number[] {
  const [model = '', ...changes] = text.split(',')
  const words = MODELS[model]?.slice(0, WORDS)
  if (!words) throw new RangeError(`no processor model ${model}: there are ${Object.keys(MODELS).join(', ')}`)
  for (const change of changes) {
    if (!FEATURES[change.slice(1)] || !/^[+-]/.test(change)) {
      throw new RangeError(`no processor feature ${change}: + or - and one of ${CPU_FEATURES.join(' ')}`)
    }
    if (change[0] === '+') offer(words, change.slice(1))
    else withhold(words, change.slice(1))
  }
  return words.map((word) => word >>> 0)
}

function offer(words: number[], name: string) {
  const [word, bit] = FEATURES[name]!
  words[word] = words[word]! & ~(1 << bit)
  for (const needed of NEEDS[name] ?? []) offer(words, needed)
}

function withhold(words: number[], name: string) {
  const [word, bit] = FEATURES[name]!
  words[word] = words[word]! | (1 << bit)
  for (const [other, needed] of Object.entries(NEEDS)) if (needed.includes(name)) withhold(words, other)
}
