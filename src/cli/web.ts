import type { GlobalOptions } from '../cli.ts'
import { serve } from './serve.ts'

export default function web(_args: string[], options: GlobalOptions & { port: number }): Promise<number> {
  return serve(options, { scheduler: false, worker: false, port: options.port, places: undefined })
}
