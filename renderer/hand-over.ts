/** A password that an administrator made, on its way to its owner: shown once, then forgotten. */
export interface HandOver {
  occasion: 'create' | 'reset'
  name: string
  password: string
  /** ISO 8601; absent where the password has no end. */
  end: string | undefined
  mustChange: boolean
}
