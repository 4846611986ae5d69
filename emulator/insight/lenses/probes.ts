// The function probes of a lens, for the machine: functions by their symbols, operands, and which pool each is about.
import { PROBE_REGISTERS, type Probe, type ProbeOperand, type ProbeRegister } from '../../machine/probes'
import type { OperandLens, ProbeLens } from './lens'
import type { Reader } from './reader'

/** Page frames; addresses of this pool are physical. */
export const POOL_FRAMES = 0n
/** The first of the other pools, in the order in which the lens names them: kernels number theirs lower or much higher. */
const POOL_FIRST = 0x5052_0000_0000n

export interface LensProbe extends Probe {
  function: string
  pool: bigint
  poolName: string
}

const operandOf = (of: OperandLens): ProbeOperand =>
  typeof of === 'string' ? { register: of as ProbeRegister } : { stack: of.stack }

/** What is wrong with a probe that no schema says; undefined: nothing. */
function wrong({ event, address, bytes, many }: ProbeLens): string | undefined {
  const operands: OperandLens[] = [typeof address === 'object' && 'of' in address ? address.of : address]
  if (typeof bytes === 'string' || (typeof bytes === 'object' && 'stack' in bytes)) operands.push(bytes)
  else if (typeof bytes === 'object') operands.push(bytes.by)
  for (const each of operands)
    if (typeof each !== 'string' && !(each.stack >= 1 && each.stack <= 16))
      return 'arguments on the stack are counted from 1 to 16'
  if (many === 'list' && event !== 'free') return 'only what is freed can be a list'
  if (many === 'array' && event !== 'allocate') return 'only what is allocated can be an array'
  if (event === 'allocate' && many === undefined && typeof operands[0] !== 'string')
    return 'what a function answers is in a register'
  const unit =
    typeof bytes === 'number' ? bytes : typeof bytes === 'object' && 'shift' in bytes ? bytes.shift : 0
  if (!(unit >= 0 && unit <= 2 ** 40)) return `${unit} bytes are out of all reason`
  if (typeof address === 'object' && 'of' in address) {
    const shifts = [address.right ?? 0, address.left ?? 0]
    if (shifts.some((each) => !(each >= 0 && each <= 63))) return 'shifts go from 0 to 63'
  }
  return undefined
}

/** Those whose functions the kernel has; what is wrong with the others is in the reader's troubles. */
export function lensProbes(reader: Reader, probes: readonly ProbeLens[]): LensProbe[] {
  const pools = new Map<string, bigint>([['frames', POOL_FRAMES]])
  const found: LensProbe[] = []
  for (const probe of probes) {
    const { address, bytes, event } = probe
    const poolName = probe.pool ?? 'frames'
    if (!pools.has(poolName)) pools.set(poolName, POOL_FIRST + BigInt(pools.size))
    const linear = reader.kernel.address(probe.function)
    const problem = linear === undefined ? 'the kernel has no function of this name' : wrong(probe)
    if (linear === undefined || problem !== undefined) {
      reader.trouble(probe.function, problem ?? '')
      continue
    }
    const made: LensProbe = {
      ...{
        linear: BigInt.asUintN(64, linear),
        event,
        function: probe.function,
        pool: pools.get(poolName)!,
        poolName,
      },
      ...{
        address: operandOf(typeof address === 'object' && 'of' in address ? address.of : address),
        unit: 1,
      },
    }
    if (typeof address === 'object' && 'of' in address) {
      if (address.minus !== undefined) {
        const minus = reader.big(address.minus)
        if (minus === undefined) continue
        made.base = BigInt.asUintN(64, minus)
      }
      if (address.right !== undefined) made.right = address.right
      if (address.left !== undefined) made.left = address.left
    }
    if (bytes === undefined) made.unit = 0
    else if (typeof bytes === 'number') made.unit = bytes
    else if (typeof bytes === 'object' && 'shift' in bytes) {
      made.unit = bytes.shift
      made.shift = true
      made.bytes = operandOf(bytes.by)
    } else made.bytes = operandOf(bytes)
    if (poolName === 'frames') {
      made.frames = true
      if (bytes === undefined) made.unit = 4096
    }
    if (probe.many) made[probe.many] = true
    if (probe.whole) made.whole = true
    found.push(made)
  }
  return found
}

export { PROBE_REGISTERS }
