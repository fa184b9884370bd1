import type { Context } from 'hono'

/** The sentence of `?done=` after an action: a code, so that no link can put words into our mouth. */
export function noticeOf(context: Context): string | undefined {
  switch (context.req.query('done')) {
    case 'retry':
      return 'It is run again: this is the new run.'
    case 'release':
      return 'It is released: readers have this partition now.'
    case 'skip':
      return 'It is skipped: this night is given up.'
    case 'ack':
      return 'You are on it: it is not mailed again until something new happens.'
    default:
      return undefined
  }
}
