import type { ErrorCode } from '../../api/errors.ts'

/** Ends a request with a code of the contract, and the data that the contract gives it. */
export class ApiError extends Error {
  readonly code: ErrorCode
  readonly data: unknown
  constructor(code: ErrorCode, data?: unknown) {
    super(code)
    this.name = 'ApiError'
    this.code = code
    this.data = data
  }
}
