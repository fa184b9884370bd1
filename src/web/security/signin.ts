import type { Hono } from 'hono'
import { html } from 'hono/html'
import { duration } from '../../format/elapsed.ts'
import { layout } from '../layout.ts'
import { deleteToken, readToken, writeToken } from './cookie.ts'
import type { Access } from './guard.ts'
import { verifyPassword } from './password.ts'
import { beginSession, endSession } from './sessions.ts'
import { openThrottle } from './throttle.ts'

/** `/signin` and `/signout`. */
export function mountSignIn(app: Hono, { pool, users }: Access): void {
  const throttle = openThrottle()

  app.get('/signin', (context) => {
    const next = localPath(context.req.query('next'))
    return users().size === 0 ? context.redirect(next, 303) : context.html(page(next, '', undefined))
  })

  app.post('/signin', async (context) => {
    const { name, password, next } = await context.req.parseBody()
    const target = localPath(next)
    if (typeof name !== 'string' || typeof password !== 'string') {
      return context.html(page(target, '', 'Enter a name and a password.'), 400)
    }
    const { address } = context.get('client')
    const seconds = throttle.enter(name, address)
    if (seconds !== undefined) {
      context.header('retry-after', String(seconds))
      const wait = duration(1000 * seconds)
      return context.html(page(target, name, `Too many failed attempts. Try again in ${wait}.`), 429)
    }
    const known = users()
    const user = known.get(name)
    if (!(await verifyPassword(password, user?.hash, known.values())) || user === undefined) {
      return context.html(page(target, name, 'Name or password is wrong.'), 401)
    }
    throttle.succeed(name, address)
    const former = readToken(context)
    if (former !== undefined) await endSession(pool, former)
    writeToken(context, await beginSession(pool, user))
    return context.redirect(target, 303)
  })

  app.post('/signout', async (context) => {
    const token = readToken(context)
    if (token !== undefined) await endSession(pool, token)
    deleteToken(context)
    return context.redirect('/signin', 303)
  })
}

function page(next: string, name: string, problem: string | undefined) {
  return layout(
    'Sign in',
    html`${problem === undefined ? '' : html`<p class="failed" role="alert">${problem}</p>`}
<form method="post" action="/signin">
<input type="hidden" name="next" value="${next}">
<p><label>Name<br><input name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" required></label></p>
<p><label>Password<br><input name="password" type="password" autocomplete="current-password" required></label></p>
<p><button>Sign in</button></p>
</form>
<p>No account? The operator of this server can add one.</p>`,
  )
}

/** A path of this server, otherwise `/`: redirects to other servers are refused. */
export function localPath(next: unknown): string {
  const here = 'http://here.invalid'
  if (typeof next !== 'string' || !next.startsWith('/') || !URL.canParse(next, here)) return '/'
  const url = new URL(next, here)
  // `/.//elsewhere` becomes `//elsewhere`, which is an address of another server.
  const ours = url.origin === here && !url.pathname.startsWith('//') && url.pathname !== '/signin'
  return ours ? url.pathname + url.search + url.hash : '/'
}
