/// <reference types="electron-vite/node" />
/// <reference types="vite/client" />

/** Path of the WebAssembly module that the AssemblyScript compiler makes of this entry. */
declare module '*?asc' {
  const path: string
  export default path
}

// emulator/core/layout.ts is compiled by both sides; where it names AssemblyScript's integer types, they are
// plain numbers here.
declare type i8 = number
declare type u8 = number
declare type i16 = number
declare type u16 = number
declare type i32 = number
declare type u32 = number
declare type isize = number
declare type usize = number
