export type ProcessRole = 'worker' | 'scheduler' | 'web' | 'command'

/** A process seen within this time is alive. */
export const ALIVE_MS = 15_000
