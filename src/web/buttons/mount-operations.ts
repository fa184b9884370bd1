import type { Context, Hono } from 'hono'
import { accept, waive } from '../../actions/add-to-evidence.ts'
import { beginBackfill, planBackfillOf } from '../../actions/nights/request-backfill.ts'
import {
  requestDrill,
  requestGate,
  requestPromotion,
  requestRollback,
} from '../../actions/operations/request-operation.ts'
import type { ProjectLedger } from '../../actions/project-ledger.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { authorNamed, personNamed } from '../../project/people.ts'
import type { Model, Project } from '../../project/project.ts'
import { backfillHref, readinessHref, registryHref, withQuery } from '../addresses.ts'
import type { PageContext } from '../page-context.ts'
import { backfillIn } from '../pages/readiness/backfill-form.ts'
import { act, formOf, Missing, sentenceIn } from './act.ts'
import { allowed, personIn } from './presser.ts'

/** What the ledger can count. */
const LARGEST_VERSION = 2 ** 31 - 1

type Form = Record<string, string>
type Press = (pressed: {
  ledger: ProjectLedger
  model: Model
  form: Form
  /** Who presses the button, as `personNamed`. */
  by(): string | null
  /** Who changes the live version, as `authorNamed`. */
  author(command: 'promote' | 'rollback'): string | null
}) => Promise<unknown>

/**
 * The buttons of a model's readiness page: each calls the action of the command of the same name, on behalf of the signed-in
 * user. What takes long is asked for, and a worker does it. A text that comes of it is the page to go to.
 */
const BUTTONS: Record<string, Press> = {
  gate: ({ ledger, model, form, by }) =>
    requestGate(ledger, model, { version: versionIn('--version', form.version), by: by() }),

  drill: ({ ledger, model, form, by }) =>
    requestDrill(ledger, model, {
      drill: form.drill ?? '',
      version: versionIn('--version', form.version),
      by: by(),
    }),

  promotion({ ledger, model, form, author }) {
    const version = versionIn('--version', form.version)
    if (version === undefined)
      throw new ConfigurationError(`promote ${model.name}: expected --version N, got: nothing`)
    const by = author('promote')
    const reason = whyIn(ledger.project, form, `promote ${model.name}`)
    const override = form.override === 'yes' ? sentenceIn('--override', reason ?? '') : null
    return requestPromotion(ledger, model, { version, override, reason, by })
  },

  rollback({ ledger, model, form, author }) {
    const by = author('rollback')
    return requestRollback(ledger, model, {
      to: versionIn('--to', form.to),
      from: form.from?.trim() || undefined,
      reason: whyIn(ledger.project, form, `rollback ${model.name}`),
      withdraw: form.withdraw === 'yes',
      by,
    })
  },

  waiver: ({ ledger, model, form, by }) =>
    waive(ledger, model, {
      item: form.item ?? '',
      until: form.until ?? '',
      reason: form.reason?.trim() ? sentenceIn('--reason', form.reason) : '',
      by: by() ?? '',
    }),

  acceptance: ({ ledger, model, by }) => accept(ledger, model, by() ?? ''),

  async backfill({ ledger, model, form, by }) {
    const author = by()
    const wish = backfillIn(form)
    const planned = await planBackfillOf(ledger, model, wish)
    const id = await beginBackfill(ledger, planned, author)
    if (id === undefined)
      throw new ConfigurationError(
        `backfill ${model.name}: nothing to run from ${wish.from} to ${wish.to}; its plan says why, night by night`,
      )
    return backfillHref(id)
  },
}

export function mountOperations(app: Hono, { database, project: files }: PageContext): void {
  for (const [name, press] of Object.entries(BUTTONS)) {
    app.post(`/models/:model/${name}`, (context) =>
      act(context, async () => {
        const project = files()
        const model = modelAt(project, context)
        const form = await formOf(context)
        const given = personIn(context, form)
        const shown = await press({
          ledger: { project, database },
          model,
          form,
          by: () => allowed(context, () => personNamed(project, given)),
          author: (command) => allowed(context, () => authorNamed(project, given, command)),
        })
        if (typeof shown === 'string') return withQuery(shown, { done: name })
        const registry = registryHref(model.name)
        if (form.back === registry) return withQuery(registry, { done: name })
        return withQuery(readinessHref(model.name), {
          version: versionIn('--version', form.version),
          done: name,
        })
      }),
    )
  }
}

function modelAt({ models }: Project, context: Context): Model {
  const name = context.req.param('model') ?? ''
  const model = models[name]
  if (model === undefined)
    throw new Missing(
      `This project has ${Object.keys(models).join(', ') || 'no model'}, but none named ${name}.`,
    )
  return model
}

/** Why the live version is changed. Where the project names people, it is recorded with its author and its reason. */
function whyIn({ people }: Project, { reason }: Form, command: string): string | undefined {
  if (reason?.trim()) return sentenceIn('--reason', reason)
  if (Object.keys(people).length === 0) return undefined
  throw new ConfigurationError(
    `${command}: expected a reason: nightshift.yaml names people, so changes of the live version are recorded with their author and why`,
  )
}

/** Undefined where the field is left empty. */
function versionIn(option: string, text: string | undefined): number | undefined {
  const given = text?.trim() ?? ''
  if (given === '') return undefined
  const number = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
  if (number >= 1 && number <= LARGEST_VERSION) return number
  throw new ConfigurationError(
    `${option}: expected a whole number from 1 to ${LARGEST_VERSION}, got: ${given}`,
  )
}
