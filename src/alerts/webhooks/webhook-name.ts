/** Whether a recipient is the URL of a webhook and not a mail address. */
export function isWebhook(recipient: string): boolean {
  return /^https?:\/\//.test(recipient)
}

/** A recipient as people see it. The path of a webhook is left out: whoever knows that of a Slack webhook can post to it. */
export function recipientName(recipient: string): string {
  if (!isWebhook(recipient)) return recipient
  const { origin, pathname, search } = new URL(recipient)
  return pathname === '/' && search === '' ? origin : `${origin}/...`
}
