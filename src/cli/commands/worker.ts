import type { GlobalOptions } from '../../cli.ts'
import { serve } from '../../host/serve.ts'

export default function worker(
  _args: string[],
  options: GlobalOptions & { places?: number },
): Promise<number> {
  return serve(options, { scheduler: false, worker: true, web: undefined, places: options.places })
}
