import type { Problem } from '../../project/files/problem.ts'
import { type Node, offsetOf } from './syntax.ts'
import { indexOfByte, type Place, placeOf, type Token, tokenize } from './tokens.ts'

/**
 * Problems of one piece of SQL with their places. DuckDB's tree knows most of them, as byte offsets; for the rest
 * the token that is meant is looked up in the text.
 */
export class SqlProblems {
  readonly problems: Problem[] = []
  readonly tokens: Token[]
  readonly #sql: string
  readonly #file: string

  /** `file` is named in the problems. */
  constructor(sql: string, file: string) {
    this.#sql = sql
    this.#file = file
    this.tokens = tokenize(sql)
  }

  word(word: string): Token | undefined {
    return this.tokens.find(({ kind, text }) => kind === 'word' && text.toLowerCase() === word)
  }

  /** The last such word before a byte offset: where DuckDB knows the place of what follows it alone. */
  tokenBefore(word: string, offset: number | undefined): Token | undefined {
    if (offset === undefined) return this.word(word)
    const index = indexOfByte(this.#sql, offset)
    return this.tokens
      .filter(({ kind, text, start }) => kind === 'word' && start < index && text.toLowerCase() === word)
      .at(-1)
  }

  sayNode(severity: Problem['severity'], node: Node, name: string, message: string): void {
    const offset = offsetOf(node)
    if (offset !== undefined)
      this.sayPlace(severity, placeOf(this.#sql, indexOfByte(this.#sql, offset)), message)
    else
      this.sayToken(
        severity,
        this.tokens.find(({ text }) => text.toLowerCase() === name.toLowerCase()),
        message,
      )
  }

  sayWord(words: string[], message: string): void {
    this.sayToken(
      'error',
      words.map((word) => this.word(word)).find((token) => token !== undefined),
      message,
    )
  }

  sayToken(severity: Problem['severity'], token: Token | undefined, message: string): void {
    this.sayPlace(severity, token === undefined ? undefined : placeOf(this.#sql, token.start), message)
  }

  sayAt(index: number, message: string): void {
    this.sayPlace('error', placeOf(this.#sql, index), message)
  }

  sayPlace(severity: Problem['severity'], place: Place | undefined, message: string): void {
    const problem = { severity, file: this.#file, line: place?.line, column: place?.column, message }
    const same = this.problems.some(
      (each) => each.message === message && each.line === problem.line && each.column === problem.column,
    )
    if (!same) this.problems.push(problem)
  }
}
