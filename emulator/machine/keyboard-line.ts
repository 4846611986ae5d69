// Whether the guest has taken all that its keyboard sent. A keyboard that is typed on faster than somebody reads it
// loses keys; a person does not, a program does.
import * as L from '../core/layout'
import type { MachineMemory } from './memory'

// Fields of emulator/core/chipset/i8042.ts and ps2-keyboard.ts
const STATUS = L.DEV_KBC
const STATUS_OBF = 1
const KEYBOARD = L.DEV_KBC + 256
const BUFFER_COUNT = KEYBOARD + 13
const LEDS = KEYBOARD + 2

export function keyboardIsRead({ u8, u32 }: MachineMemory): boolean {
  const waiting =
    Atomics.load(u32, (L.INPUT_QUEUE + L.INPUT_WRITE) >>> 2) !==
    Atomics.load(u32, (L.INPUT_QUEUE + L.INPUT_READ) >>> 2)
  return !waiting && u8[BUFFER_COUNT] === 0 && (u8[STATUS]! & STATUS_OBF) === 0
}

/** The lights of the guest's keyboard that are lit, as command EDh has them: 1 Scroll Lock, 2 Num Lock, 4 Caps Lock. */
export const keyboardLeds = ({ u8 }: MachineMemory): number => u8[LEDS]! & 7
