import type { Context } from 'hono'
import { ConfigurationError } from '../../project/files/problem.ts'
import { NotAllowed } from './act.ts'

/** The signed-in user. Without sign-in people say who they are, as with `--by`. */
export function personIn(context: Context, { by }: Record<string, string>): string | undefined {
  const viewer = context.get('viewer')
  if (viewer?.local === true) return by?.trim() || undefined
  return viewer?.name
}

/** A signed-in user whom the project's people do not allow this is refused; a name that was typed is an error of the form. */
export function allowed(context: Context, named: () => string | null): string | null {
  try {
    return named()
  } catch (error) {
    if (!(error instanceof ConfigurationError) || context.get('viewer')?.local === true) throw error
    throw new NotAllowed(error.message, { cause: error })
  }
}
