import { html } from 'hono/html'
import { rowsPerNight, secondsPerNight } from '../../../charts/rows-and-times.ts'
import { scoreOverTime } from '../../../charts/score-over-time.ts'
import { duration } from '../../../format/elapsed.ts'
import { count, figure } from '../../../format/numbers.ts'
import type { NumberProfile } from '../../../pipeline/profile/profile.ts'
import type { NightFigures } from './load.ts'
import { picture } from './picture.ts'

const MEDIAN = 4

/** The distribution of the scores by night. */
export function scorePicture({ scores, nights, axis }: NightFigures) {
  const last = scores.findLast((night) => night?.quantiles != null)
  const apart = nights.map(({ backfilled }) => backfilled)
  const profiles = scores.map((night): Pick<NumberProfile, 'quantiles'> | null => night ?? null)
  return picture(scoreOverTime(axis, profiles, { apart }), {
    title: 'Scores',
    empty: last === undefined,
    sentence:
      last === undefined
        ? html`There are no scores of these nights to show yet.`
        : html`Median score ${figure(last.quantiles?.[MEDIAN])} on ${last.partition}${apart.includes(true) ? '; hollow: backfilled' : ''}.`,
  })
}

export function rowsPicture({ nights, axis }: NightFigures) {
  const apart = nights.map(({ backfilled }) => backfilled)
  const last = nights.findLast(({ published, rows }) => published && rows !== null)
  const chart = rowsPerNight(
    axis,
    nights.map(({ published, rows }) => (published ? rows : null)),
    { apart },
  )
  return picture(chart, {
    title: 'Rows',
    empty: last === undefined,
    sentence:
      last === undefined
        ? html`None of these nights has been published yet.`
        : html`${count(last.rows ?? 0)} rows on ${last.partition}.`,
  })
}

export function timesPicture({ nights, axis }: NightFigures) {
  const apart = nights.map(({ backfilled }) => backfilled)
  const last = nights.findLast(({ published, seconds }) => published && seconds !== null)
  const chart = secondsPerNight(
    axis,
    nights.map(({ published, seconds }) => (published ? seconds : null)),
    { apart },
  )
  return picture(chart, {
    title: 'Run time',
    empty: last === undefined,
    sentence:
      last === undefined
        ? html`None of these nights has been published yet.`
        : html`${duration((last.seconds ?? 0) * 1000)} on ${last.partition}, from first attempt to publication.`,
  })
}
