// The XSAVE image (SDM 1 13.4): x87 and SSE state in the legacy region, AVX state behind the header.

export const XSTATE_X87: u32 = 1
export const XSTATE_SSE: u32 = 2
export const XSTATE_AVX: u32 = 4
/** Components this processor has. */
export const XSTATE_COMPONENTS: u32 = XSTATE_X87 | XSTATE_SSE | XSTATE_AVX
/** Size of an image with all of them, and where AVX lies in it, in either format. */
export const XSAVE_SIZE: u32 = 832
export const XSAVE_AVX: u32 = 576
