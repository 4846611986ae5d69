// The XSAVE image (SDM 1 13.4): x87 and SSE state in the legacy region, AVX and PKRU state behind the header. Also which
// components this model has, and how long an image of some of them is.

export const XSTATE_X87: u32 = 1
export const XSTATE_SSE: u32 = 2
export const XSTATE_AVX: u32 = 4
export const XSTATE_PKRU: u32 = 1 << 9
/** Where the standard format has AVX and PKRU; the registers themselves lie so in CPU_XSAVE. */
export const XSAVE_AVX: u32 = 576
export const XSAVE_PKRU: u32 = 832
const AVX_BYTES: u32 = 256
const PKRU_BYTES: u32 = 8

/** Bytes of an image of `components` in the standard format: the last of them decides (SDM 1 13.4.3). */
export function standardSize(components: u32): u32 {
  if (components & XSTATE_PKRU) return XSAVE_PKRU + PKRU_BYTES
  return components & XSTATE_AVX ? XSAVE_AVX + AVX_BYTES : XSAVE_AVX
}

/** Where PKRU lies in the compacted format: behind the components that are there (SDM 1 13.4.3). */
export function compactedPkru(components: u32): u32 {
  return components & XSTATE_AVX ? XSAVE_AVX + AVX_BYTES : XSAVE_AVX
}

export function compactedSize(components: u32): u32 {
  return compactedPkru(components) + (components & XSTATE_PKRU ? PKRU_BYTES : 0)
}
