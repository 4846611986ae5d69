import { nextTick, type Ref, watch } from 'vue'

/**
 * A modal dialog that is there while something says so; the focus goes back to where it was.
 * @param prepare is called before it opens; it stays closed when that answers false
 */
export function useDialog(
  dialog: Readonly<Ref<HTMLDialogElement | null>>,
  isOpen: () => boolean,
  prepare: () => boolean,
) {
  let focusBefore: Element | null = null
  watch(isOpen, async (open) => {
    if (!open) {
      dialog.value?.close()
      if (focusBefore instanceof HTMLElement) focusBefore.focus()
      return
    }
    const before = document.activeElement
    if (!prepare()) return
    focusBefore = before
    await nextTick()
    dialog.value?.showModal()
  })
}
