import type { DesktopTexts } from './texts.ts'

/** A question with buttons, in the form of Electron's `showMessageBox`. */
export interface Question<Answer> {
  options: {
    type: 'none' | 'info' | 'warning' | 'error'
    title: string
    message: string
    detail: string
    buttons: string[]
    defaultId: number
    /** What closing the window means. */
    cancelId: number
    noLink: true
  }
  answers: readonly Answer[]
}

export type ShowMessage = (options: Question<unknown>['options']) => Promise<{ response: number }>

/** Puts the question and answers what was chosen. */
export async function ask<Answer>(
  show: ShowMessage,
  { options, answers }: Question<Answer>,
): Promise<Answer | undefined> {
  const { response } = await show(options)
  return answers[response] ?? answers[options.cancelId]
}

function question<Answer>(
  type: Question<Answer>['options']['type'],
  message: string,
  detail: string,
  choices: readonly (readonly [Answer, string])[],
): Question<Answer> {
  return {
    options: {
      type,
      title: 'Latchkey',
      message,
      detail,
      buttons: choices.map(([, label]) => label),
      defaultId: 0,
      cancelId: choices.length - 1,
      noLink: true,
    },
    answers: choices.map(([answer]) => answer),
  }
}

export function startupTokenQuestion(texts: DesktopTexts, token: string) {
  return question<'copy' | 'sign-in' | 'close'>('info', texts.tokenTitle, `${token}\n\n${texts.tokenText}`, [
    ['copy', texts.copy],
    ['sign-in', texts.signInHere],
    ['close', texts.close],
  ])
}

export function crashQuestion(texts: DesktopTexts, lastWords: string) {
  const detail = lastWords === '' ? texts.crashText : `${texts.crashText}\n\n${lastWords}`
  return question<'restart' | 'log' | 'leave'>('error', texts.crashTitle, detail, [
    ['restart', texts.restart],
    ['log', texts.openLog],
    ['leave', texts.close],
  ])
}

export function startQuestion(texts: DesktopTexts, { code, message }: { code: string; message: string }) {
  const isLocked = code === 'DATA_DIR_LOCKED'
  const title = isLocked ? texts.lockedTitle : code === 'KEYRING_UNREADABLE' ? texts.keysTitle : texts.startTitle
  return question<'retry' | 'log' | 'quit'>('error', title, isLocked ? `${texts.lockedText}\n\n${message}` : message, [
    ['retry', texts.retry],
    ['log', texts.openLog],
    ['quit', texts.quit],
  ])
}

export function updateQuestion(texts: DesktopTexts, version: string) {
  return question<'now' | 'later'>('info', texts.updateTitle, texts.updateText.replace('{version}', version), [
    ['now', texts.updateNow],
    ['later', texts.updateLater],
  ])
}

export function notice(texts: DesktopTexts, type: 'info' | 'error', message: string, detail = '') {
  return question<'close'>(type, message, detail, [['close', texts.close]])
}
