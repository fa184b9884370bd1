import type { OutcomeFacts } from './outcome-facts.ts'

type Counts = Pick<OutcomeFacts, 'scored' | 'unlabelled'>

/** How many scores have no label, undefined where all have one: what came of them is in no figure. */
export function unlabelledText({ scored, unlabelled }: Counts, show: (count: number) => string = String) {
  if (unlabelled === 0) return undefined
  return `${show(unlabelled)} of ${show(scored)} rows ${unlabelled === 1 ? 'has' : 'have'} no label`
}

/** More of the scores have none than have one: the figures are of the few, who may be others. */
export function isMostlyUnlabelled({ scored, unlabelled }: Counts): boolean {
  return unlabelled * 2 > scored
}
