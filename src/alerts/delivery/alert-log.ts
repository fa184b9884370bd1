/** The part of a pino logger that mails are logged by. */
export interface AlertLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}
