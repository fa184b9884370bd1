/** The part of a pino logger that the mail code uses. */
export interface AlertLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}
