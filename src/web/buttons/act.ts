import type { Context } from 'hono'
import { html } from 'hono/html'
import { ConfigurationError } from '../../project/files/problem.ts'
import { page } from '../page.ts'
import { refuse } from '../security/guard.ts'
import { forOperators } from './rights.ts'

const LONGEST_REASON = 1000

/** Something that an address names is not there: answered with 404. */
export class Missing extends Error {}

/** The user may not do this: answered with 403. */
export class NotAllowed extends Error {}

/** Executes an action for an operator and redirects to its result. An error of the command is shown as a page. */
export function act(context: Context, action: (by: string) => Promise<string>) {
  return asOperator(context, async (by) => context.redirect(await action(by), 303))
}

/** Answers an operator, with a page for what is refused; a viewer gets 403. */
export async function asOperator(context: Context, answer: (by: string) => Promise<Response>) {
  const viewer = context.get('viewer')
  if (viewer?.role !== 'operator') {
    return refuse(
      context,
      'Operators only',
      `${viewer?.name ?? 'This user'} is a viewer. ${forOperators(viewer)}`,
    )
  }
  try {
    return await answer(viewer.name)
  } catch (error) {
    if (error instanceof NotAllowed) return refuse(context, 'Not allowed', error.message)
    if (error instanceof Missing)
      return page(context, 'Not found', html`<p>${error.message}</p>`, { status: 404 })
    if (!(error instanceof ConfigurationError)) throw error
    return page(context, 'Action refused', html`<p class="failed" role="alert">${error.message}</p>`, {
      status: 409,
    })
  }
}

/** The fields of a form that are text. */
export async function formOf(context: Context): Promise<Record<string, string>> {
  const fields = Object.entries(await context.req.parseBody())
  const texts = fields.filter((field): field is [string, string] => typeof field[1] === 'string')
  // PostgreSQL does not accept NUL in text.
  const bad = texts.find(([, text]) => text.includes('\0'))
  if (bad !== undefined)
    throw new ConfigurationError(`${bad[0]}: expected text, got: text with a NUL character`)
  return Object.fromEntries(texts)
}

/** The reason of an action: it is recorded, so it must not be empty. */
export async function reasonIn(context: Context): Promise<string> {
  const { reason = '' } = await formOf(context)
  return sentenceIn('reason', reason)
}

/** Text that is recorded as a reason. Throws a ConfigurationError where it is empty or too long. */
export function sentenceIn(field: string, given: string): string {
  const text = given.trim()
  if (text === '' || text.length > LONGEST_REASON) {
    throw new ConfigurationError(
      `${field}: expected a sentence of at most ${LONGEST_REASON} characters that gives the reason, got: ` +
        (text === '' ? 'nothing' : `${text.length} characters`),
    )
  }
  return text
}
