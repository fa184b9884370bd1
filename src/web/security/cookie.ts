import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'

const NAME = 'nightshift'
const SEVEN_DAYS_S = 7 * 24 * 3600

function isSecure(context: Context): boolean {
  return context.get('client').https
}

/** The session token that the browser sent. */
export function readToken(context: Context): string | undefined {
  return isSecure(context) ? getCookie(context, NAME, 'host') : getCookie(context, NAME)
}

/** Over https the name begins with `__Host-`, so that no other host of the domain can set it. */
export function writeToken(context: Context, token: string): void {
  setCookie(context, NAME, token, { ...options(context), maxAge: SEVEN_DAYS_S })
}

export function deleteToken(context: Context): void {
  deleteCookie(context, NAME, options(context))
}

function options(context: Context) {
  const common = { path: '/', httpOnly: true, sameSite: 'Lax' } as const
  return isSecure(context) ? ({ ...common, secure: true, prefix: 'host' } as const) : common
}
