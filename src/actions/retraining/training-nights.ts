import { Temporal } from 'temporal-polyfill'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model } from '../../project/project.ts'
import { type AsOf, addDays, asOfContaining, type Grain } from '../../project/time/asof.ts'
import { labelWindow } from '../../project/time/label-window.ts'

const DAY_MS = 86_400_000

export interface TrainingNights {
  /** Oldest first. */
  asOfs: AsOf[]
  holdoutFrom: AsOf
}

/**
 * The as-ofs of a retraining's training set: from the newest whose label window is over at `now`, back in steps of
 * `every` for `span`; those of the last `holdout` of it are held out. Pure. Throws a ConfigurationError where none is
 * left to train on.
 */
export function trainingNights(model: Model, timezone: string, grain: Grain, now: Date): TrainingNights {
  const { labels, retrain } = model
  if (labels === undefined || retrain === undefined) {
    throw new ConfigurationError(
      `retrain: expected models/${model.name}/model.yaml to have \`${labels === undefined ? 'labels' : 'retrain'}\`, got: none`,
    )
  }
  const { span, every, holdout } = retrain.dataset
  const step = grain === 'day' ? Math.max(1, Math.round(every.ms / DAY_MS)) : every.ms / DAY_MS
  const newest = newestOver(labels, timezone, grain, now)
  const asOfs: AsOf[] = []
  for (let back = 0; back * step * DAY_MS <= span.ms; back++) {
    const asOf = backBy(newest, back * step, timezone, grain)
    asOfs.unshift(asOf)
  }
  const bound = Date.parse(newest.instant) - holdout.ms
  const holdoutFrom = asOfs.find(({ instant }) => Date.parse(instant) > bound) ?? newest
  // Rows whose label window reaches into the holdout are left out of the training rows.
  const train = asOfs.filter(
    (asOf) => labelWindow(asOf, labels, timezone).end.instant <= holdoutFrom.instant && asOf !== holdoutFrom,
  )
  if (train.length === 0) {
    throw new ConfigurationError(
      `retrain: expected retrain.dataset.span in models/${model.name}/model.yaml to be longer than holdout and label horizon together (${holdout.text} and ${labels.horizon.text}), got: ${span.text}, which leaves no night to train on`,
    )
  }
  return { asOfs, holdoutFrom }
}

/** The newest as-of whose label window is over by the clock. Whether its data is there is found when it is read. */
function newestOver(labels: NonNullable<Model['labels']>, timezone: string, grain: Grain, now: Date): AsOf {
  const window = labels.horizon.ms + labels.lag.ms
  let asOf = asOfContaining(Temporal.Instant.fromEpochMilliseconds(now.getTime() - window), timezone, grain)
  while (Date.parse(labelWindow(asOf, labels, timezone).complete) > now.getTime())
    asOf = backBy(asOf, grain === 'day' ? 1 : 1 / 24, timezone, grain)
  return asOf
}

function backBy(asOf: AsOf, days: number, timezone: string, grain: Grain): AsOf {
  if (grain === 'day') return addDays(asOf, -days, timezone)
  const before = Temporal.Instant.from(asOf.instant).subtract({ hours: Math.round(days * 24) })
  return asOfContaining(before, timezone, 'hour')
}
