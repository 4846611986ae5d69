import { UsageError } from './usage'
export async function bench(_args: string[]): Promise<number> {
  throw new UsageError('bench is not there yet')
}
