import { serve } from '../../host/serve.ts'
import type { GlobalOptions } from '../command.ts'

export default function scheduler(_args: string[], options: GlobalOptions): Promise<number> {
  return serve(options, { scheduler: true, worker: false, web: undefined, places: undefined })
}
