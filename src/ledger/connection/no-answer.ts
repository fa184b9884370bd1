/** A server did not answer within this time. */
export class NoAnswer extends Error {
  readonly ms: number
  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`)
    this.ms = ms
  }
}
