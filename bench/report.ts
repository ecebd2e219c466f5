import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { type Figure, isMet, type Section } from './figure.ts'

export interface Measured {
  section: Section
  figures: Figure[]
}

const HEAD = ['Section', 'What', 'Figure', 'Bar', 'Met']

function tableOf(measured: readonly Measured[]): string[][] {
  return measured.flatMap(({ section, figures }) =>
    figures.map((figure) => [section.name, figure.what, figureOf(figure), barOf(figure), metOf(figure)]),
  )
}

/** The table with its columns in line, for a terminal. */
export function printable(measured: readonly Measured[]): string {
  const rows = [HEAD, ...tableOf(measured)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Writes `bench/RESULTS.md`. */
export function writeResults(measured: readonly Measured[]): void {
  const parts = measured.map(({ section, figures }) => {
    const rows = figures.map(
      (figure) => `| ${figure.what} | ${figureOf(figure)} | ${barOf(figure)} | ${metOf(figure)} |`,
    )
    const notes = figures.flatMap(({ what, note }) => (note === undefined ? [] : [`- ${what}: ${note}`]))
    const table = ['| What | Figure | Bar | Met |', '| --- | ---: | ---: | --- |', ...rows].join('\n')
    return [`## ${section.title}`, table, ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n')
  })
  const text = ['# Results of `npm run bench`', machine(), ...parts, DURABILITY].join('\n\n')
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), `${text}\n`)
}

const DURABILITY = `## Durability

Not a matter of speed, so not measured here: \`npm run soak\` kills the database again and again and counts the acknowledged
writes that are missing afterwards.`

function machine(): string {
  const [first] = cpus()
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  const lines = [
    `- Date: ${new Date().toISOString().slice(0, 10)}`,
    `- Machine: ${first?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${gigabytes} GB`,
    `- System: ${type()} ${release()}, Node ${process.version}`,
    '- Generated: run `npm run bench` to measure your own machine; what is compared is measured in turns within one run.',
  ]
  return lines.join('\n')
}

function figureOf({ value, unit }: Figure): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return `${value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })} ${unit}`.trim()
}

function barOf({ bar, unit }: Figure): string {
  if (bar === undefined) return ''
  return 'atMost' in bar ? `≤ ${bar.atMost} ${unit}`.trim() : `≥ ${bar.atLeast} ${unit}`.trim()
}

function metOf(figure: Figure): string {
  const met = isMet(figure)
  return met === undefined ? '' : met ? 'yes' : 'NO'
}
