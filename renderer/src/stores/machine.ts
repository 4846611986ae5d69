// The machine as the last frames told it. Derived things are computed; nothing is known here that was not sent.
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type {
  CodeListing,
  CpuDetails,
  CpuRow,
  CpuSnapshot,
  Frame,
  InterruptsView,
  MachineCommand,
  Milestone,
  Status,
  ShootdownsView,
  TlbContents,
} from '../../../preload/bridge'
import { acknowledge, call, listen } from '../bridge'
import { useAllocator } from './allocator'
import { useChosenCpu } from './chosen-cpu'
import { useClimb } from './climb'
import { useDocument } from './document'
import { useEvents } from './events'
import { useFrames } from './frames'
import { useHex } from './hex'
import { usePages } from './pages'
import { useScreen } from './screen'
import { useSelection } from './selection'
import { useSerial } from './serial'
import { useShell } from './shell'
import { useSpeaker } from './speaker'

export const useMachine = defineStore('machine', () => {
  const documents = useDocument()
  const chosen = useChosenCpu()
  const screen = useScreen()
  const serial = useSerial()
  const shell = useShell()
  const speaker = useSpeaker()
  const frames = useFrames()
  const allocator = useAllocator()
  const events = useEvents()
  const pages = usePages()
  const hexView = useHex()
  const account = useClimb()
  const selection = useSelection()

  const epoch = shallowRef(-1)
  const status = shallowRef<Status>()
  const climb = shallowRef<Milestone[]>([])
  const cpu = shallowRef<CpuSnapshot>()
  const details = shallowRef<CpuDetails>()
  const code = shallowRef<CodeListing>()
  const tlb = shallowRef<TlbContents>()
  const shootdowns = shallowRef<ShootdownsView>()
  const interrupts = shallowRef<InterruptsView>()
  const cpus = shallowRef<CpuRow[]>([])
  /** Each CPU at the last two rests, newest first: what "changed since the last stop" compares with. */
  const allRests = shallowRef(new Map<number, [CpuSnapshot?, CpuSnapshot?]>())
  const rests = computed(() => allRests.value.get(cpu.value?.index ?? 0) ?? [])

  const state = computed(() => status.value?.state ?? 'paused')
  const running = computed(() => state.value === 'running')
  const ended = computed(() => state.value === 'stopped')
  /** While the guest runs: what it was when it was let go; at rest: what it was at the rest before. */
  const before = computed(() => (running.value ? rests.value[0] : rests.value[1]))

  listen('document', () => forget())
  listen('frame', (frame) => {
    apply(frame)
    // The next frame may come when this one is on the screen, and what was printed is in the terminal: a flood would pile up there.
    requestAnimationFrame(() => {
      const printed = [frame.serial && serial.taken(), frame.shell && shell.taken()]
      void Promise.all(printed).then(() => acknowledge(frame.sequence))
    })
  })

  function forget() {
    epoch.value = -1
    status.value = undefined
    climb.value = []
    cpu.value = undefined
    details.value = undefined
    code.value = undefined
    tlb.value = undefined
    shootdowns.value = undefined
    interrupts.value = undefined
    cpus.value = []
    allRests.value = new Map()
    screen.forget()
    serial.forget()
    frames.forget()
    allocator.forget()
    events.forget()
    speaker.forget()
    pages.forget()
    hexView.forget()
    account.forget()
    selection.forget()
  }

  function apply(frame: Frame) {
    if (frame.epoch !== epoch.value) {
      forget()
      epoch.value = frame.epoch
    }
    if (frame.status) {
      // Where things lie may have changed while it ran.
      if (frame.status.state !== status.value?.state) void selection.locate()
      status.value = frame.status
      // A machine with fewer CPUs than the one before.
      if (chosen.index >= frame.status.cpus.length) chosen.index = 0
    }
    if (frame.climb) climb.value = frame.climb
    if (frame.cpu) cpu.value = frame.cpu
    if (frame.details) details.value = frame.details
    if (frame.code) code.value = frame.code
    if (frame.tlb) tlb.value = frame.tlb
    if (frame.shootdowns) shootdowns.value = frame.shootdowns
    if (frame.interrupts) interrupts.value = frame.interrupts
    if (frame.cpus) cpus.value = frame.cpus
    if (frame.screen) screen.apply(frame.screen)
    if (frame.serial) serial.apply(frame.serial)
    if (frame.shell) shell.apply(frame.shell)
    if (frame.speaker) speaker.apply(frame.speaker)
    if (frame.frames) frames.apply(frame.frames)
    if (frame.regions) frames.regions = frame.regions
    if (frame.allocator) allocator.apply(frame.allocator)
    if (frame.events) events.view = frame.events
    if (frame.pages) pages.view = frame.pages
    if (frame.space) pages.space = frame.space
    hexView.apply(frame.hex, running.value, status.value?.instructions ?? 0n)
    settle()
  }

  function settle() {
    const now = cpu.value
    if (status.value === undefined || running.value || now === undefined) return
    const [last] = rests.value as [CpuSnapshot?, CpuSnapshot?]
    if (last === now) return
    const moved = last === undefined || last.instructions !== now.instructions || last.rip !== now.rip
    allRests.value = new Map(allRests.value).set(now.index ?? 0, moved ? [now, last] : [now, rests.value[1]])
  }

  const command = (name: MachineCommand) => documents.attempt(call('machine', name))

  const told = { epoch, status, climb, cpu, details, code, tlb, shootdowns, interrupts, cpus }
  return { ...told, state, running, ended, before, apply, command }
})
