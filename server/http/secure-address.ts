import type { Context } from 'koa'
import type { Deps } from '../deps.ts'

/** Our encrypted address under the name that this visitor uses, without a slash at its end; undefined where there is none. */
export function secureAddressOf(ctx: Context, lan: Deps['lan']): string | undefined {
  const best = lan.address()
  if (best === undefined || !URL.canParse(`https://${ctx.get('Host')}`)) return undefined
  const address = new URL(`https://${ctx.get('Host')}`)
  // One that he did not name was that of plain HTTP.
  address.port = new URL(best).port
  return address.origin
}
