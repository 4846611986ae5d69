// The docked layout: which panels there are, which are shown, and where their headers are.
import type { DockviewApi } from 'dockview-core'
import { defineStore } from 'pinia'
import { reactive, shallowRef } from 'vue'
import { send } from '../bridge'
import { applyPreset, type PresetId } from '../dock/presets'
import { isPanel, PANELS, type PanelId } from '../panels/info'
import { useInterest } from './interest'

export const useDock = defineStore('dock', () => {
  const interest = useInterest()
  const api = shallowRef<DockviewApi>()
  /** Where the shown panels may put their verbs, by panel. */
  const actionHosts = reactive(new Map<string, HTMLElement>())
  /** Where each panel is drawn, by panel. */
  const contentHosts = reactive(new Map<PanelId, HTMLElement>())

  function show(id: PanelId) {
    const dock = api.value
    if (!dock) return
    const panel = dock.getPanel(id)
    if (panel) {
      panel.api.setActive()
      return
    }
    const beside = dock.getPanel('screen') ?? dock.activePanel ?? dock.panels[0]
    dock.addPanel({
      id,
      component: id,
      title: PANELS[id].title,
      ...(beside ? { position: { referencePanel: beside, direction: 'within' as const } } : {}),
    })
  }

  function close(id: PanelId) {
    const panel = api.value?.getPanel(id)
    if (panel) api.value?.removePanel(panel)
  }

  function preset(id: PresetId) {
    if (api.value) applyPreset(api.value, id)
  }

  /** Groups have moved, been split, or show another tab. */
  function refresh(headerOf: (groupId: string) => HTMLElement | undefined) {
    const shown = new Map<string, HTMLElement>()
    for (const group of api.value?.groups ?? []) {
      const header = headerOf(group.id)
      if (group.activePanel && header) shown.set(group.activePanel.id, header)
    }
    for (const panel of actionHosts.keys()) if (!shown.has(panel)) actionHosts.delete(panel)
    for (const [panel, header] of shown) if (actionHosts.get(panel) !== header) actionHosts.set(panel, header)
    interest.show(shown.keys())
  }

  /** Remembers the layout for the next window; a report of this run is not part of it. */
  function save() {
    const dock = api.value
    if (!dock || dock.panels.length === 0) return
    if (dock.panels.some(({ id }) => isPanel(id) && PANELS[id].transient)) return
    send('layout.save', JSON.stringify(dock.toJSON()))
  }

  return { api, actionHosts, contentHosts, show, close, preset, refresh, save }
})
