import type { TestServer } from '../helpers/server.ts'
import { buildVisitor, type Visitor } from '../helpers/visitor.ts'

/** A program that shows this credential as `Authorization: Bearer`. */
export function programWith({ url }: Pick<TestServer, 'url'>, credential: string): Visitor {
  return buildVisitor(url, { Authorization: `Bearer ${credential}` })
}
