// The thread of one vCPU: it instantiates the core on the machine's memory and does what the main thread commands.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { bindCore } from './core-instance'
import type { VcpuCommand, VcpuMessage, VcpuStart } from './protocol'
import { VcpuLoop } from './vcpu-loop'

const start = workerData as VcpuStart
const post = (message: VcpuMessage) => parentPort!.postMessage(message)

start.commands.once('message', (command: VcpuCommand) => {
  if (command.type !== 'module') throw new Error(`a vCPU starts with its module, not with ${command.type}`)
  const core = bindCore(command.module, start.memory, () => post({ type: 'wake' }))
  const loop = new VcpuLoop(core, start, post, () => {
    return receiveMessageOnPort(start.commands)?.message as VcpuCommand | undefined
  })
  core.cpuStart(start.index)
  if (start.index === 0) core.machinePowerOn()
  post({ type: 'ready' })
  loop.serve()
  start.commands.close()
})
