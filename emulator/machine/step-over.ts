// Where "step over" stops: behind the next instruction, when that is one that comes back there.
import { linear, type Machine } from './api'
import { iced } from './iced'

/** Longest instruction (SDM 2A 2.3.11). */
const INSTRUCTION_MAX = 15

/**
 * @returns linear address behind the next instruction if it is a CALL, an INT, a LOOP or a repeated string instruction
 */
export async function stepOverTarget(
  machine: Pick<Machine, 'cpu' | 'readLinear'>,
  cpu: number,
): Promise<bigint | undefined> {
  const { bits, rip, ripLinear } = machine.cpu(cpu)
  const bytes = machine.readLinear(ripLinear, INSTRUCTION_MAX, cpu)
  if (bytes.length === 0) return undefined
  const { Code, Decoder, DecoderOptions, FlowControl, Mnemonic } = await iced()
  const decoder = new Decoder(bits, bytes, DecoderOptions.None)
  decoder.ip = rip
  const instruction = decoder.decode()
  try {
    if (instruction.code === Code.INVALID) return undefined
    const { flowControl, mnemonic } = instruction
    const loops = [Mnemonic.Loop, Mnemonic.Loope, Mnemonic.Loopne].includes(mnemonic)
    const repeats =
      instruction.isStringInstruction && (instruction.hasRepPrefix || instruction.hasRepnePrefix)
    const returns = [FlowControl.Call, FlowControl.IndirectCall, FlowControl.Interrupt].includes(flowControl)
    if (!loops && !repeats && !returns) return undefined
    const next = ripLinear + BigInt(instruction.length)
    return linear(bits === 64 ? next : next & 0xffff_ffffn)
  } finally {
    instruction.free()
    decoder.free()
  }
}
