/** The house will not do what it was asked. The code is for programs, the message for the person at the terminal. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
