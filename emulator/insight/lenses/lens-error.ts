/** What is wrong with a lens file, and where: the message is a clause for people. */
export class LensError extends Error {
  override name = 'LensError'
  /** @param line and column from 1 */
  constructor(
    message: string,
    readonly line: number,
    readonly column: number,
  ) {
    super(message)
  }
  /** `12:7: …` */
  get text(): string {
    return `${this.line}:${this.column}: ${this.message}`
  }
}
