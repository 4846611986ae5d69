// The triple-fault account's addresses, named: for the end of the report.
import type { TripleFaultReport } from '../triple-fault'
import type { GuestNames, ReadGuest } from './guest-names'

/** Lines of text; none when nothing is to be said. */
export function faultNames(report: TripleFaultReport, names: GuestNames, read: ReadGuest): string[] {
  const { file, state, problem } = names.state
  if (state === 'unreadable') return [`Symbols: ${file} cannot be read: ${problem}`]
  const { linear, rip } = report.instruction
  names.check(linear, read)
  if (names.state.state === 'mismatch')
    return [
      `Symbols: ${file} is not what runs here (its code at this address differs), so its names are left out.`,
    ]
  const lines: string[] = []
  const seen = new Set<bigint>()
  for (const { record } of report.steps) {
    // The segment's base: 0 in most kernels, not in real mode.
    const address = BigInt.asUintN(64, record.rip + linear - rip)
    if (seen.has(address)) continue
    seen.add(address)
    const label = names.label(address)
    if (label === undefined) continue
    const source = names.source(address, true)
    lines.push(
      `   ${address.toString(16).toUpperCase().padStart(16, '0')}  ${label}${source ? `  ${source}` : ''}`,
    )
    for (const frame of (names.symbols?.frames(address) ?? []).slice(1))
      lines.push(
        `                     inlined into ${frame.name}${frame.line ? `  ${frame.line.file}:${frame.line.line}` : ''}`,
      )
  }
  const unsure = names.state.state === 'waiting' ? ' (nothing at this address to compare the code with)' : ''
  return lines.length === 0 ? [] : [`By the symbols of ${file}${unsure}:`, ...lines]
}
