// The menu of an address: one for the window, opened by whichever address is asked for it.
import { reactive } from 'vue'

export const addressMenu = reactive({
  open: false,
  value: 0n,
  /** Guest-physical, not linear. */
  physical: false,
  /** Of the code there, when it is not what the CPU executes now. */
  bits: undefined as 16 | 32 | 64 | undefined,
  left: 0,
  top: 0,
})
let opener: HTMLElement | undefined

/** Room that the menu takes at most, px. */
const WIDTH = 210
const HEIGHT = 170

export function openAddressMenu(element: HTMLElement, value: bigint, physical: boolean, bits?: 16 | 32 | 64) {
  const box = element.getBoundingClientRect()
  opener = element
  addressMenu.value = value
  addressMenu.physical = physical
  addressMenu.bits = bits
  addressMenu.left = Math.max(0, Math.min(box.left, window.innerWidth - WIDTH))
  addressMenu.top = Math.max(0, Math.min(box.bottom + 2, window.innerHeight - HEIGHT))
  addressMenu.open = true
}

/** @param back the focus goes where it came from */
export function closeAddressMenu(back: boolean) {
  addressMenu.open = false
  if (back && opener?.isConnected) opener.focus()
  opener = undefined
}
