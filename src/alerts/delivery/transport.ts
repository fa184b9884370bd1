import type { Message } from '../letters/message.ts'
import type { AlertLog } from './alert-log.ts'
import { openFiles } from './mail-files.ts'
import { openSmtp } from './smtp.ts'

/** Where mails go. */
export interface Transport {
  /** For people: `smtp://mail.example.com:587`, never with a password. */
  name: string
  /** Delivers one mail and says where it went. Throws Undeliverable. */
  send(message: Message): Promise<string>
  /** Closes idle connections; a later `send` opens anew. */
  rest(): void
  close(): Promise<void>
}

/** `server`: nothing can be delivered now; `mail`: this mail was refused, others may not be. */
export class Undeliverable extends Error {
  override name = 'Undeliverable'
  readonly scope: 'server' | 'mail'

  constructor(scope: 'server' | 'mail', message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.scope = scope
  }
}

/**
 * SMTP where a URL (SMTP_URL) is given, else files in `.nightshift/outbox/` of the project. Opens no connection.
 * Throws a ConfigurationError where the URL is none of SMTP; its password appears nowhere.
 */
export function openTransport(smtpUrl: string | undefined, root: string, log: AlertLog): Transport {
  return smtpUrl === undefined || smtpUrl === '' ? openFiles(root, log) : openSmtp(smtpUrl, log)
}
