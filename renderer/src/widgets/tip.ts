// `v-tip="text"`: hover or keyboard focus tells the whole story of a thing, in at most five lines. One floating box
// for the window; readers of the screen by ear get the same words as the element's description.
import { type Directive, reactive } from 'vue'

export const tip = reactive({ text: '', left: 0, top: 0, visible: false })

const DELAY = 350
const texts = new WeakMap<HTMLElement, string>()
let timer = 0
let owner: HTMLElement | undefined

function show(element: HTMLElement) {
  const text = texts.get(element)
  if (!text) return
  owner = element
  window.clearTimeout(timer)
  timer = window.setTimeout(
    () => {
      const box = element.getBoundingClientRect()
      tip.text = text
      tip.left = box.left
      tip.top = box.bottom + 6
      tip.visible = true
    },
    tip.visible ? 40 : DELAY,
  )
}

function hide() {
  window.clearTimeout(timer)
  owner = undefined
  tip.visible = false
}

function set(element: HTMLElement, text: string | undefined) {
  texts.set(element, text ?? '')
  if (text) element.setAttribute('aria-description', text)
  else element.removeAttribute('aria-description')
  if (owner === element && tip.visible) tip.text = text ?? ''
}

export const vTip: Directive<HTMLElement, string | undefined> = {
  mounted(element, { value }) {
    set(element, value)
    element.addEventListener('pointerenter', () => show(element))
    element.addEventListener('pointerleave', hide)
    element.addEventListener('pointerdown', hide)
    element.addEventListener('focus', () => element.matches(':focus-visible') && show(element))
    element.addEventListener('blur', hide)
  },
  updated(element, { value, oldValue }) {
    if (value !== oldValue) set(element, value)
  },
  unmounted(element) {
    if (owner === element) hide()
  },
}
