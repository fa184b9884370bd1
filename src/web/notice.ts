import type { Context } from 'hono'

/** The message for `?done=` after an action. It is a code, so that a link cannot inject text into the page. */
export function noticeOf(context: Context): string | undefined {
  switch (context.req.query('done')) {
    case 'retry':
      return 'The night is requested again: this is the new run.'
    case 'again':
      return 'The night is requested again. What comes of it will stand here; look again in a moment.'
    case 'release':
      return 'The run is released: this partition is published.'
    case 'skip':
      return 'The night is skipped.'
    case 'ack':
      return 'You acknowledged the incident: no more mails until something new happens.'
    case 'mute':
      return 'The mails are muted for three days. The pages show each incident all the same.'
    case 'gate':
      return 'The gate is asked. Its answer will stand here; look again in a moment.'
    case 'drill':
      return 'The drill is asked for. Its result will stand here.'
    case 'promotion':
      return 'The promotion is asked for: the gate decides. What comes of it will stand here; look again in a moment.'
    case 'rollback':
      return 'The rollback is asked for. What comes of it will stand here; look again in a moment.'
    case 'waiver':
      return 'The item is waived, which is no pass. The next answer of the gate counts it.'
    case 'acceptance':
      return 'You have accepted the model. The next answer of the gate counts it.'
    case 'backfill':
      return 'The backfill has begun.'
    case 'pause':
      return 'The backfill is paused: no further night starts.'
    case 'resume':
      return 'The backfill goes on.'
    case 'cancel':
      return 'The backfill is cancelled: nights that have not started are as they were.'
    default:
      return undefined
  }
}
