import { config } from 'zod'

/**
 * Schemas are interpreted: a command reads each file once, and zod's generated code takes longer to compile than it saves
 * (80 ms of processor time a command).
 */
config({ jitless: true })
