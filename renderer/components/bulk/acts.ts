/** What may be done with many users at once. */
export type BulkAct = 'disable' | 'enable' | 'reset' | 'tokens'
