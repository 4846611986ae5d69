// Names as their programmers wrote them.
import { demangleItanium } from './itanium'
import { demangleRustLegacy } from './rust-legacy'
import { demangleRustV0 } from './rust-v0'

/** Longer names are left as they are: what they unfold to may be far longer. */
const NAME_MAX = 8192

/** @returns the name itself when it is not mangled, or wrongly */
export function demangle(name: string): string {
  if (name.length > NAME_MAX) return name
  if (name.startsWith('_R')) return demangleRustV0(name) ?? name
  if (name.startsWith('_Z') || name.startsWith('__Z')) {
    return demangleRustLegacy(name) ?? demangleItanium(name) ?? name
  }
  return name
}
