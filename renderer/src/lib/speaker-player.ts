// Plays what the guest's speaker does, a little behind: updates come with the display's frames, some late.
import type { SpeakerUpdate } from '../../../preload/bridge'
import { SpeakerWave } from './speaker-wave'

const LOUDNESS = 0.18
/** Seconds between what is made and what is heard: where it begins, and what stretching keeps it between. */
const BEGIN = 0.05
const LEAST = 0.03
const MOST = 0.12
/** An update that covers more than this follows on a silence. */
const GAP = 250e6
/** What a change needs to be there from its first sample on, ns. */
const LEAD = 2e6
/** For the cone to come to rest, seconds. */
const TAIL = 0.03

export class SpeakerPlayer {
  #context: AudioContext | undefined
  #volume: GainNode | undefined
  #wave: SpeakerWave | undefined
  /** ns of machine time up to which there are samples. */
  #until: number | undefined
  /** The sample of the context at which the next ones begin. */
  #next = 0

  play({ time, changes, moving }: SpeakerUpdate) {
    const { context, volume, wave } = this.#open()
    const rate = context.sampleRate
    const to = Number(time)
    const now = context.currentTime * rate
    const first = changes.length > 0 ? changes[0]! : to
    if (this.#until === undefined || to < this.#until || to - this.#until > GAP)
      this.#until = Math.min(first, to) - LEAD
    if (this.#next < now) this.#next = Math.ceil(now + BEGIN * rate)
    const natural = ((to - this.#until) * rate) / 1e9
    const ahead = this.#next + natural - now
    const least = natural + (LEAST * rate - ahead)
    const most = natural - (ahead - MOST * rate)
    const samples = Math.max(1, Math.round(Math.max(least, Math.min(natural, most))))
    const made = wave.render(samples, this.#until, to, changes)
    this.#until = to
    this.#send(context, volume, made)
    if (moving) return
    this.#send(context, volume, wave.render(Math.round(TAIL * rate), to, to, new Float64Array()))
    this.#until = undefined
  }

  /** Silence at once, and for what comes until sound is wanted again. */
  mute(muted: boolean) {
    if (this.#volume) this.#volume.gain.value = muted ? 0 : LOUDNESS
    this.#muted = muted
  }
  #muted = false

  /** Another machine, or the same from the beginning. */
  forget() {
    this.#until = undefined
    this.#wave?.reset()
  }

  #open() {
    // Made when there is something to be heard: it holds a device of the host.
    this.#context ??= new AudioContext({ latencyHint: 'interactive' })
    if (!this.#volume) {
      this.#volume = this.#context.createGain()
      this.#volume.gain.value = this.#muted ? 0 : LOUDNESS
      this.#volume.connect(this.#context.destination)
    }
    this.#wave ??= new SpeakerWave(this.#context.sampleRate)
    return { context: this.#context, volume: this.#volume, wave: this.#wave }
  }

  #send(context: AudioContext, volume: GainNode, samples: Float32Array<ArrayBuffer>) {
    const buffer = context.createBuffer(1, samples.length, context.sampleRate)
    buffer.copyToChannel(samples, 0)
    const source = context.createBufferSource()
    source.buffer = buffer
    source.connect(volume)
    source.start(this.#next / context.sampleRate)
    this.#next += samples.length
  }
}
