import { localDay } from '../../format/clock-time.ts'
import { recipeOf } from '../../monitoring/retraining/recipe.ts'
import { listRetrainings, type Retraining } from '../../monitoring/retraining/record.ts'
import type { Retrain } from '../../project/project.ts'
import { isSameView } from '../../registry/view-identity.ts'
import { type Asked, fail, type Item, pass } from '../item.ts'
import { describedOnce } from '../view-of.ts'

/**
 * A trigger is declared, and the newest try of today's command on today's view made a valid model. A try is a dry run or a
 * retraining; it stands for the command, its files, its variables and the view that it was made with, and for no other.
 */
export const retraining: Item = {
  id: 'retraining',
  title: 'Retraining',
  question: 'What starts a retraining, and has its command been tried?',
  async ask(asked) {
    const { model, project } = asked
    const { retrain, name } = model
    const dryRun = `nightshift retrain ${name} --dry-run`
    if (retrain === undefined) {
      return fail(
        'model.yaml says neither how the model is trained again nor when',
        `add \`retrain: { command: [node, train.js], when: { drift_nights: 3, age: 90d } }\` to models/${name}/model.yaml, then ${dryRun}`,
      )
    }
    if (triggersOf(retrain).length === 0) {
      return fail(
        '`retrain.when` declares no trigger: a retraining would only ever begin by hand',
        `add \`when: { drift_nights: 3, auc_below: 0.7, age: 90d }\` to \`retrain\` in models/${name}/model.yaml`,
      )
    }
    const tried = await triesOf(asked)
    const [newest] = tried.standing
    if (newest === undefined) return fail(unproven(tried.others, project.timezone), dryRun)
    const day = localDay(newest.ended_at ?? newest.requested_at, project.timezone)
    const what = `${newest.dry_run ? 'the dry run' : 'the retraining'} of ${day} (number ${newest.id})`
    if (newest.state === 'failed') {
      return fail(`${what} failed: ${newest.outcome?.split('\n')[0] ?? 'nobody knows why'}`, dryRun)
    }
    return pass(
      `begins by ${triggersOf(retrain).join(', ')}; ${what} made ${madeBy(newest)}`,
      `/models/${name}`,
    )
  },
}

interface Tries {
  /** Those that are over and were made with today's command and view, newest first. */
  standing: Retraining[]
  /** Those of another command or view. */
  others: { try: Retraining; because: string }[]
}

async function triesOf(asked: Asked): Promise<Tries> {
  const { database, project, model } = asked
  const view = project.views[model.view]
  const over = (await listRetrainings(database.pool, model.name, { limit: 50 })).filter(
    ({ state, recipe }) => (state === 'done' || state === 'failed') && recipe !== null,
  )
  if (view === undefined || over.length === 0) return { standing: [], others: [] }
  const identity = await describedOnce(asked, view)
  const recipe = recipeOf(model)
  const tries: Tries = { standing: [], others: [] }
  for (const each of over) {
    // One that failed before its training set was made has tried today's view as well.
    const sameView = each.view_hash === null || isSameView(each.view_hash, identity)
    if (sameView && each.recipe === recipe) tries.standing.push(each)
    else
      tries.others.push({ try: each, because: sameView ? 'the command or its files have' : 'the view has' })
  }
  return tries
}

function unproven([newest]: Tries['others'], timezone: string): string {
  if (newest === undefined) return 'the command was never tried: no dry run is on record'
  const { try: last, because } = newest
  return `${because} changed since the last try of ${localDay(last.requested_at, timezone)} (number ${last.id}): what runs now was never tried`
}

function madeBy({ dry_run, version, outcome }: Retraining): string {
  return dry_run || version === null ? (outcome ?? 'a valid model') : `version ${version}`
}

function triggersOf({ when }: Retrain): string[] {
  return [
    ...(when.drift_nights === undefined ? [] : [`drift on ${when.drift_nights} nights`]),
    ...(when.auc_below === undefined ? [] : [`a realized AUC below ${when.auc_below}`]),
    ...(when.age === undefined ? [] : [`an age of ${when.age.text}`]),
  ]
}
