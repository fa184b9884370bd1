import { serve } from '../../host/serve.ts'
import type { Work } from '../../ledger/workers/takes.ts'
import type { GlobalOptions } from '../command.ts'

interface Options extends GlobalOptions {
  places?: number
  only?: Work[]
  models?: string[]
}

export default function worker(_args: string[], options: Options): Promise<number> {
  const { places, only, models } = options
  return serve(options, { scheduler: false, worker: true, web: undefined, places, choice: { only, models } })
}
