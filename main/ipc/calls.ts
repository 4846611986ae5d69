// The receiving end of `call`: one channel, the sender and every argument checked, handlers found by the window.
import { ipcMain, type IpcMainInvokeEvent } from 'electron'
import type { CallName, Calls } from '../../preload/bridge'
import { isOwnFrame } from '../window/lock-down'
import { checkCall } from './checks'

/** What a window answers to each call, at once or by a promise. */
export type Handlers = {
  [Name in CallName]: (
    ...args: Parameters<Calls[Name]>
  ) => ReturnType<Calls[Name]> | Promise<ReturnType<Calls[Name]>>
}

/** @param handlersOf the handlers of the window that shows these contents, undefined when it is none of ours */
export function answerCalls(handlersOf: (contents: Electron.WebContents) => Handlers | undefined) {
  ipcMain.handle('call', (event: IpcMainInvokeEvent, name: unknown, args: unknown) => {
    if (!isOwnFrame(event.senderFrame)) throw new Error('calls are answered to Ringside’s own page only')
    const handlers = handlersOf(event.sender)
    if (!handlers) throw new Error('this window has no document')
    const call = checkCall(name, args)
    const handler = handlers[call.name] as (...args: unknown[]) => unknown
    return handler(...call.args)
  })
}
