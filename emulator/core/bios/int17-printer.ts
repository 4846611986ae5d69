// INT 17h. There is no parallel port: every call times out (AH bit 0), as on a machine without an adapter.
import { dx, setAh } from './guest'

export function int17(): void {
  if (dx() > 3) return
  setAh(0x01)
}
