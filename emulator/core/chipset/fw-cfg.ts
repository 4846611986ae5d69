// QEMU's firmware configuration device (docs/specs/fw_cfg.rst of QEMU): a selector at port 510h, data at 511h, and the
// DMA interface at 514h. Kernels of test suites ask it for the number of CPUs.

import { DEV_FW_CFG, HDR_CPU_COUNT, HDR_RAM_SIZE, HEADER } from '../layout'
import { dmaRead, dmaWrite } from '../memory/dma'

export const FW_CFG_PORT: u32 = 0x510
export const FW_CFG_PORTS: u32 = 12

// State, from DEV_FW_CFG
const SELECTOR: usize = 0 // u16
const OFFSET: usize = 4 // u32, of the next byte
const DMA_HIGH: usize = 8 // u32, upper half of the next DMA's address
const SCRATCH: usize = 16 // an access structure, or a byte on its way; what it holds is not looked at again

const DATA: u32 = 1
const DMA_ADDRESS: u32 = 4
const DMA_START: u32 = 8

// Items
const SIGNATURE: u32 = 0
const ID: u32 = 1
const RAM_SIZE: u32 = 3
const CPUS: u32 = 5
const MAX_CPUS: u32 = 0xf

/** The ID: the traditional interface and DMA are there. */
const FEATURES: u32 = 3
const QEMU: u32 = 0x554d4551 // "QEMU"
/** What the DMA address reads as: "QEMU CFG". */
const DMA_SIGNATURE_HIGH: u32 = 0x51454d55
const DMA_SIGNATURE_LOW: u32 = 0x20434647

// Control word of an access structure: control, length, address, all big-endian.
const CONTROL_ERROR: u32 = 1
const CONTROL_READ: u32 = 2
const CONTROL_SKIP: u32 = 4
const CONTROL_SELECT: u32 = 8
const CONTROL_WRITE: u32 = 16
const ACCESS_SIZE: u32 = 16

/** Bytes of one DMA: no item is longer, so more would be zeros for as long as the guest likes. */
const DMA_MAX: u32 = 0x10000

export function fwCfgReset(): void {
  memory.fill(DEV_FW_CFG, 0, 64)
}

/** The item's bytes as one number, low byte first. The directory of files (19h) is empty: a count of 0. */
function item(selector: u32): u64 {
  if (selector == SIGNATURE) return QEMU
  if (selector == ID) return FEATURES
  if (selector == RAM_SIZE) return load<u32>(HEADER, HDR_RAM_SIZE)
  if (selector == CPUS || selector == MAX_CPUS) return load<u32>(HEADER, HDR_CPU_COUNT)
  return 0
}

/** Zero behind the item's end. */
function nextByte(): u32 {
  const at = load<u32>(DEV_FW_CFG, OFFSET)
  if (at >= 8) return 0
  store<u32>(DEV_FW_CFG, at + 1, OFFSET)
  return <u32>(item(load<u16>(DEV_FW_CFG, SELECTOR)) >> (at * 8)) & 0xff
}

function select(selector: u32): void {
  store<u16>(DEV_FW_CFG, selector, SELECTOR)
  store<u32>(DEV_FW_CFG, 0, OFFSET)
}

/** `offset` from FW_CFG_PORT. The selector is 16 bits wide, data come a byte at a time, DMA registers are 32. */
export function fwCfgRead(offset: u32, size: u32): u32 {
  if (offset == DATA && size == 1) return nextByte()
  if (offset == DMA_ADDRESS && size == 4) return bswap<u32>(DMA_SIGNATURE_HIGH)
  if (offset == DMA_START && size == 4) return bswap<u32>(DMA_SIGNATURE_LOW)
  return offset == 0 ? 0 : size == 4 ? 0xffffffff : (1 << (size << 3)) - 1
}

export function fwCfgWrite(offset: u32, size: u32, value: u32): void {
  if (offset == 0 && size == 2) select(value)
  else if (offset == DMA_ADDRESS && size == 4) store<u32>(DEV_FW_CFG, bswap<u32>(value), DMA_HIGH)
  else if (offset == DMA_START && size == 4) {
    const high = load<u32>(DEV_FW_CFG, DMA_HIGH)
    store<u32>(DEV_FW_CFG, 0, DMA_HIGH)
    access(((high as u64) << 32) | bswap<u32>(value))
  }
}

/** Carries out the access structure at `phys`, and writes its control word: 0, or the error bit. */
function access(phys: u64): void {
  const scratch = DEV_FW_CFG + SCRATCH
  let control: u32 = CONTROL_ERROR
  if (dmaRead(phys, scratch, ACCESS_SIZE) == ACCESS_SIZE) {
    const wanted = bswap<u32>(load<u32>(scratch))
    const length = bswap<u32>(load<u32>(scratch, 4))
    const address = bswap<u64>(load<u64>(scratch, 8))
    if (wanted & CONTROL_SELECT) select(wanted >> 16)
    control = transfer(wanted, length, address) ? 0 : CONTROL_ERROR
  }
  store<u32>(scratch, bswap<u32>(control))
  dmaWrite(phys, scratch, 4)
  memory.fill(scratch, 0, ACCESS_SIZE)
}

/** False when memory was not there, or the guest wanted to write an item. */
function transfer(wanted: u32, length: u32, address: u64): bool {
  if (wanted & CONTROL_WRITE && !(wanted & CONTROL_READ)) return length == 0
  if (!(wanted & (CONTROL_READ | CONTROL_SKIP))) return true
  if (length > DMA_MAX) return false
  const scratch = DEV_FW_CFG + SCRATCH
  for (let i: u32 = 0; i < length; i++) {
    const byte = nextByte()
    if (!(wanted & CONTROL_READ)) continue
    store<u8>(scratch, byte)
    if (dmaWrite(address + i, scratch, 1) == 0) return false
  }
  return true
}
