// The terminal makes style elements while it runs. The content security policy lets only those in that carry the
// nonce of this page load, so every one that our own code makes gets it.
export function giveStylesTheirNonce() {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content
  if (!nonce) return
  const create = document.createElement.bind(document) as Document['createElement']
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const element = create(name, options)
    if (element instanceof HTMLStyleElement) element.nonce = nonce
    return element
  }) as Document['createElement']
}
