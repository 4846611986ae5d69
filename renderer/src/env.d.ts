import type { Bridge } from '../../preload/bridge'

declare global {
  interface Window {
    ringside: Bridge
  }
}
