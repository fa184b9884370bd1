import { localTimes } from './clock-time.ts'
import { figureBeside } from './numbers.ts'

const NUMBER = /(?<![\w.-])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w|\.\d)/gi
/** A figure that nobody has rounded. */
const RAW = /\.\d{8}/

/**
 * What a program said, for people: instants as local times with their zone, figures that nobody has rounded in four
 * digits, or in as many as tell them from the other figures of the text.
 */
export function messageText(text: string, timezone: string): string {
  const local = localTimes(text, timezone)
  if (!RAW.test(local)) return local
  const all = [...local.matchAll(NUMBER)].map(([number]) => Number(number))
  return local.replace(NUMBER, (number) =>
    RAW.test(number) ? figureBeside(Number(number), nearest(Number(number), all)) : number,
  )
}

/** The other figure of the text that is easiest to take for this one. */
function nearest(value: number, all: number[]): number {
  const others = all.filter((each) => each !== value)
  return others.reduce(
    (best, each) => (Math.abs(each - value) < Math.abs(best - value) ? each : best),
    others[0] ?? value,
  )
}
