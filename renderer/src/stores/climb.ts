// The climb as the main process tells it, and which stage is looked at.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { ClimbAccount } from '../../../preload/bridge'
import { call } from '../bridge'

export const useClimb = defineStore('climb', () => {
  const account = shallowRef<ClimbAccount>()
  /** CLIMB_* that somebody has chosen; without it the one that matters most is shown. */
  const wanted = ref<number>()
  let asking = false
  let again = false

  /** Asks for the account; while an answer is on its way, once more behind it. */
  async function ask() {
    if (asking) {
      again = true
      return
    }
    asking = true
    try {
      do {
        again = false
        account.value = await call('climb.account')
      } while (again)
    } catch {
      // The machine is gone, or not there yet: what there is of it stays until the next one tells.
    } finally {
      asking = false
    }
  }

  const shown = computed(() => {
    const stages = account.value?.stages ?? []
    const chosen = stages.find(({ id }) => id === wanted.value)
    if (chosen) return chosen
    const botched = stages.find(({ troubles }) => troubles.some(({ kind }) => kind !== 'note'))
    if (botched) return botched
    const reached = stages.filter(({ state }) => state === 'reached')
    return reached.reduce<(typeof reached)[number] | undefined>(
      (last, stage) => (!last || stage.instructions >= last.instructions ? stage : last),
      undefined,
    )
  })

  function forget() {
    account.value = undefined
  }

  return { account, wanted, shown, ask, forget }
})
