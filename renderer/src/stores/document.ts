// What is open in this window, and what could be.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { DocumentView, FaultAccount, Hello, RecentFile, SampleGuest } from '../../../preload/bridge'
import { call, listen, send } from '../bridge'

export const useDocument = defineStore('document', () => {
  const view = shallowRef<DocumentView>({ kind: 'empty' })
  const recent = shallowRef<RecentFile[]>([])
  const fault = shallowRef<FaultAccount>()
  const hello = shallowRef<Hello>()
  /** What the main process refused to do, for a line in the status bar. */
  const refusal = ref('')

  listen('document', (value) => {
    view.value = value
    refusal.value = ''
  })
  listen('recent', (value) => {
    recent.value = value
  })
  listen('fault', (value) => {
    fault.value = value
  })

  /** Says hello: from then on events come. */
  async function connect() {
    hello.value = await call('hello')
  }

  async function attempt(what: Promise<unknown>) {
    refusal.value = ''
    try {
      await what
    } catch (error) {
      refusal.value = (error as Error).message
    }
  }

  return {
    view,
    recent,
    fault,
    hello,
    refusal,
    connect,
    attempt,
    open: (path: string) => attempt(call('document.open', path)),
    choose: () => send('document.choose'),
    openSample: (sample: SampleGuest) => send('document.sample', sample),
    openLab: () => send('lab.sample'),
    reveal: () => send('document.reveal'),
    forget: (path: string) => send('recent.forget', path),
  }
})
