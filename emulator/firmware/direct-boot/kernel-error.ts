/** The kernel file cannot be started; the message says where and why. */
export class KernelError extends Error {
  override name = 'KernelError'
}
