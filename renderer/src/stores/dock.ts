// The docked layout: which panels there are, which are shown, and where their headers are.
import type { DockviewApi } from 'dockview-core'
import { defineStore } from 'pinia'
import { reactive, shallowRef } from 'vue'
import { send } from '../bridge'
import { applyPreset, isPreset, isWide, MINIMUM_HEIGHT, type PresetId } from '../dock/presets'
import { isPanel, PANELS, type PanelId } from '../panels/info'
import { useDocument } from './document'
import { useInterest } from './interest'

export const useDock = defineStore('dock', () => {
  const interest = useInterest()
  const documents = useDocument()
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
    if (!PANELS[id].transient) rearranged()
    const beside = dock.getPanel('screen') ?? dock.activePanel ?? dock.panels[0]
    dock.addPanel({
      id,
      component: id,
      title: PANELS[id].title,
      minimumWidth: PANELS[id].minimumWidth,
      minimumHeight: MINIMUM_HEIGHT,
      ...(beside ? { position: { referencePanel: beside, direction: 'within' as const } } : {}),
    })
  }

  function close(id: PanelId) {
    const panel = api.value?.getPanel(id)
    if (panel) api.value?.removePanel(panel)
  }

  /** Lifts the panel that is used out of the grid, or puts it back. */
  function float() {
    const dock = api.value
    const panel = dock?.activePanel
    if (!dock || !panel) return
    rearranged()
    if (panel.group.api.location.type !== 'grid') {
      const beside = dock.groups.find((group) => group.api.location.type === 'grid')
      panel.api.moveTo(beside ? { group: beside } : { position: 'right' })
      return
    }
    const { offsetWidth: width, offsetHeight: height } = panel.group.element
    dock.addFloatingGroup(panel, {
      width: Math.max(320, Math.round(width * 0.9)),
      height: Math.max(220, Math.round(Math.min(height * 0.9, dock.height * 0.7))),
      position: { left: Math.round(dock.width * 0.3), top: Math.round(dock.height * 0.2) },
    })
  }

  /** The preset that the layout still is; undefined once somebody has moved a panel. */
  let arranged: { preset: PresetId; wide: boolean } | undefined
  let arranging = false

  function preset(id: PresetId) {
    const dock = api.value
    if (!dock) return
    arranging = true
    applyPreset(dock, id)
    arranging = false
    arranged = { preset: id, wide: isWide(dock.width) }
    if (documents.fault) show('fault')
  }

  /** Panels were moved, opened or closed: by somebody, unless it was a preset. */
  function rearranged() {
    if (!arranging) arranged = undefined
  }

  /** A preset that nobody has changed is laid out anew when the window gets too narrow for it, or wide enough. */
  function resized(width: number, height: number) {
    const dock = api.value
    if (!dock || !arranged || width === 0 || isWide(width) === arranged.wide) return
    dock.layout(width, height)
    preset(arranged.preset)
  }

  /** Takes the layout of last time. @returns false when it does not fit this version */
  function restore(saved: string): boolean {
    const dock = api.value
    if (!dock) return false
    try {
      const { layout, preset, wide } = JSON.parse(saved)
      arranging = true
      dock.fromJSON(layout)
      if (typeof preset === 'string' && isPreset(preset)) arranged = { preset, wide: wide === true }
      return dock.panels.length > 0 && dock.panels.every(({ id }) => isPanel(id))
    } catch (error) {
      console.warn('The saved layout does not fit and is not used:', error)
      return false
    } finally {
      arranging = false
    }
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
    send('layout.save', JSON.stringify({ layout: dock.toJSON(), ...arranged }))
  }

  return {
    api,
    actionHosts,
    contentHosts,
    show,
    close,
    float,
    preset,
    restore,
    rearranged,
    resized,
    refresh,
    save,
  }
})
