import { figure } from '../../format/numbers.ts'
import { percent } from '../../format/shares.ts'
import { countText, rivalText } from '../../monitoring/shadow/counted-nights.ts'
import { type ShadowStanding, shadowStanding } from '../../monitoring/shadow/shadow-standing.ts'
import { type Asked, fail, type Item, pass } from '../item.ts'

export const shadow: Item = {
  id: 'shadow',
  title: 'Shadow',
  question: 'Has the version scored beside the live process for long enough, and do its scores agree?',
  async ask({ database, model, version }: Asked) {
    const link = `/models/${encodeURIComponent(model.name)}#shadow`
    if (version === undefined)
      return fail(
        'No version is registered: none can score in shadow.',
        `nightshift register ${model.name} FILE --dataset ID`,
      )
    const standing = await shadowStanding(database.pool, model, version.version)
    const show = `nightshift shadow ${model.name}`
    const begin = `${show} --version ${version.version}`
    if (standing.passed) return pass(sentence(standing), link)
    if (standing.breaches.length > 0)
      return fail(`${sentence(standing)} Not met: ${standing.breaches.join('; ')}.`, show, link)
    if (standing.state === 'never')
      return fail(
        `Version ${version.version} was never in shadow: 0 of ${standing.required} nights.`,
        begin,
        link,
      )
    return fail(`${sentence(standing)}${left(standing)}`, standing.state === 'scoring' ? show : begin, link)
  },
}

/** `14 of 14 nights count, 2026-11-14 to 2026-11-27, compared with version 1: ...`. */
function sentence({ counted, required, window, against }: ShadowStanding): string {
  const nights = countText({ counted, required })
  if (window === undefined) {
    const alone =
      against.kind === 'none'
        ? ': there is no champion, and model.yaml declares no process before it (shadow.current)'
        : ''
    return `${nights}, compared with ${rivalText(against)}${alone}.`
  }
  const { from, to, rank_correlation, top_overlap, flips, distance } = window
  const figures = [
    rank_correlation.worst === null ? '' : `rank correlation ${figure(rank_correlation.worst)}`,
    top_overlap.worst === null ? '' : `top overlap ${percent(top_overlap.worst)}`,
    flips.worst === null ? '' : `changed decisions ${percent(flips.worst)}`,
    distance.worst === null ? '' : `distance ${figure(distance.worst)}`,
  ].filter((text) => text !== '')
  return `${nights}, ${from} to ${to}, compared with ${rivalText(against)}; at worst ${figures.join(', ')}.`
}

/** The newest night that does not count says why. */
function left({ nights }: ShadowStanding): string {
  const excluded = nights.filter(({ counts }) => !counts)
  const newest = excluded.at(-1)
  if (newest === undefined) return ''
  const number = excluded.length === 1 ? 'One night does not count' : `${excluded.length} nights do not count`
  return ` ${number}; ${newest.partition}: ${newest.why}.`
}
