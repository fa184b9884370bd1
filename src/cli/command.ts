/** Options that every command receives with its arguments; `json` asks for data instead of text. */
export interface GlobalOptions {
  project: string
  json?: boolean
  debug?: boolean
  /** Works within a simulation, on its ledger, warehouse and clock. */
  simulation?: string
}

/** A command (`name`, as typed) prints its result and returns the exit code: 0 done, 1 the work failed or is held. */
export type CommandModule<Options extends GlobalOptions> = {
  default: (args: string[], options: Options, name: string) => Promise<number>
}
