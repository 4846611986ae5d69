// What a direct boot is made of: files, and bytes for guest memory.

/** A file that is handed to the kernel: Linux's initial RAM disk, a Multiboot module. */
export interface InitrdFile {
  /** Path, as the user named it. */
  name: string
  /** What the user wrote behind the path. */
  text: string
  bytes: Uint8Array
}

export interface DirectBoot {
  /** The kernel file: a bzImage, or an ELF or flat file with a Multiboot header. */
  kernel: Uint8Array
  /** Its path, as the user named it: Multiboot 1 kernels find it as the first word of their command line. */
  name?: string
  initrd?: readonly InitrdFile[]
  /** The kernel's command line. */
  append: string
}

export interface E820Range {
  base: number
  length: number
  type: number
}

export interface Chunk {
  /** Guest-physical. */
  address: number
  bytes: Uint8Array
  /** Zeros follow the bytes up to this size; left out: none do. */
  size?: number
}
