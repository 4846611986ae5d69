import { machineAtRest } from '@emulator/insight/rest-autopsy'
import type { Machine } from '@emulator/machine/api'
import type { Status } from '../../preload/bridge'
import { cpuBriefs } from '@emulator/machine/cpu-snapshot'
import { keyboardLeds } from '@emulator/machine/keyboard-line'
import type { Source } from './source'

/** What the machine itself does not know. */
export interface Traffic {
  sent(): number
  received(): number
  ports(): number[]
  devices(): (string | undefined)[]
  shell(): Status['shell']
  mediumTroubles(): string[]
  removable(): Status['removable']
  work(): Status['work']
  /** The name of a guest's address, if there are symbols that may be believed. */
  label(address: bigint): string | undefined
}

export class StatusSource implements Source<'status'> {
  readonly part = 'status'
  readonly interval = 100
  #last = ''

  constructor(
    private readonly machine: Pick<Machine, 'speed' | 'state' | 'stopInfo' | 'memory' | 'hold' | 'config'>,
    private readonly traffic: Traffic,
  ) {}

  wanted() {
    return true
  }

  take(): Status | undefined {
    const { state, stopInfo } = this.machine
    const { instructions, time, currentMips } = this.machine.speed()
    const status: Status = {
      state,
      instructions,
      time,
      mips: currentMips,
      sent: this.traffic.sent(),
      received: this.traffic.received(),
      ports: this.traffic.ports(),
      devices: this.traffic.devices(),
      shell: this.traffic.shell(),
      mediumTroubles: this.traffic.mediumTroubles(),
      cpus: cpuBriefs(this.machine.memory),
      schedule: this.machine.config.schedule,
      removable: this.traffic.removable(),
      leds: keyboardLeds(this.machine.memory),
      work: this.traffic.work(),
    }
    const stuck =
      state === 'running' ? machineAtRest(this.machine, (address) => this.traffic.label(address)) : undefined
    if (stuck) status.stuck = stuck
    if (stopInfo && state !== 'running') status.stop = stopInfo
    const key = `${state} ${instructions} ${time} ${currentMips} ${status.sent} ${status.received} ${status.mediumTroubles.length} ${status.stop?.reason} ${stuck?.title} ${stuck?.text} ${status.ports} ${status.devices} ${status.shell} ${status.schedule} ${status.leds} ${status.cpus.map(({ ring, activity }) => `${ring}${activity}`)} ${JSON.stringify([status.removable, status.work])}`
    if (key === this.#last) return
    this.#last = key
    return status
  }

  forget() {
    this.#last = ''
  }
}
