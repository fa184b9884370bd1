import type { Message } from '../letters/message.ts'

/** How mails are delivered. */
export interface Transport {
  /** Shown to users: `smtp://mail.example.com:587`, never with a password. */
  name: string
  /** Delivers one mail and returns where it was delivered. Throws Undeliverable. */
  send(message: Message): Promise<string>
  /** Closes idle connections; a later `send` opens a new one. */
  rest(): void
  close(): Promise<void>
}

/** `server`: nothing can be delivered at the moment; `mail`: this mail was refused, others may be accepted. */
export class Undeliverable extends Error {
  override name = 'Undeliverable'
  readonly scope: 'server' | 'mail'

  constructor(scope: 'server' | 'mail', message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.scope = scope
  }
}
