/** A server was asked and has not answered for so long. */
export class NoAnswer extends Error {
  readonly ms: number
  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`)
    this.ms = ms
  }
}
