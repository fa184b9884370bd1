import { InvalidArgumentError } from 'commander'
import { WORK, type Work } from '../../ledger/workers/takes.ts'
import { didYouMean } from '../../project/files/nearest.ts'

/** Reads an option's names, separated by commas. Which names are legal is checked where the project is known. */
export function nameList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes(''))
    throw new InvalidArgumentError(`expected names such as a,b, got: ${text || 'nothing'}.`)
  return [...new Set(names)]
}

/** Reads the kinds of work that a worker is to take. */
export function workList(text: string): Work[] {
  return nameList(text).map((name) => {
    const found = WORK.find((work) => work === name)
    if (found !== undefined) return found
    throw new InvalidArgumentError(
      `expected one or more of ${WORK.join(', ')}, got: ${name}${didYouMean(name, WORK)}.`,
    )
  })
}
