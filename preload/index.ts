// The one bridge. It knows no machine and decides nothing: calls go to the main process, which checks the sender
// and every argument (main/ipc/). Events come by a MessagePort that is handed on to the page, so that dense frames
// are cloned once and not again by the context bridge.
import { contextBridge, ipcRenderer, webUtils } from 'electron'
import type { Bridge } from './bridge'

const bridge: Bridge = {
  call: (name, ...args) => ipcRenderer.invoke('call', name, args),
  pathOf: (file) => webUtils.getPathForFile(file),
}

contextBridge.exposeInMainWorld('ringside', bridge)

ipcRenderer.on('events', (event) => {
  window.postMessage('ringside.events', window.location.origin, [...event.ports])
})
