import type { Context } from 'hono'

/** The message for `?done=` after an action. It is a code, so that a link cannot inject text into the page. */
export function noticeOf(context: Context): string | undefined {
  switch (context.req.query('done')) {
    case 'retry':
      return 'The night runs again: this is the new run.'
    case 'release':
      return 'The run is released: this partition is published.'
    case 'skip':
      return 'The night is skipped.'
    case 'ack':
      return 'You acknowledged the incident: no more mails until something new happens.'
    default:
      return undefined
  }
}
