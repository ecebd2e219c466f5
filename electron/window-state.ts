export interface Rectangle {
  x: number
  y: number
  width: number
  height: number
}

export interface WindowState extends Rectangle {
  maximized: boolean
}

export const SMALLEST = { width: 420, height: 480 } as const
const FIRST = { width: 1180, height: 800 } as const
/** So much of the title bar must be there to be taken hold of. */
const GRIP = 96

/**
 * Where the window goes: where it was, if a screen is still there; else in the middle of the first. `areas` are the usable
 * parts of the screens, the first one first.
 */
export function placeWindow(saved: WindowState | undefined, areas: readonly [Rectangle, ...Rectangle[]]): WindowState {
  const screen = saved && areas.find((area) => isGraspable(saved, area))
  if (saved && screen) return { ...sized(saved, screen), x: saved.x, y: saved.y, maximized: saved.maximized }
  const [area] = areas
  const size = sized(saved ?? FIRST, area)
  return {
    ...size,
    x: area.x + Math.round((area.width - size.width) / 2),
    y: area.y + Math.round((area.height - size.height) / 2),
    maximized: saved?.maximized ?? false,
  }
}

function sized({ width, height }: { width: number; height: number }, area: Rectangle) {
  return {
    width: Math.min(Math.max(width, SMALLEST.width), area.width),
    height: Math.min(Math.max(height, SMALLEST.height), area.height),
  }
}

/** The upper edge lies on the screen, with enough of it to drag. */
function isGraspable({ x, y, width }: Rectangle, area: Rectangle): boolean {
  const across = Math.min(x + width, area.x + area.width) - Math.max(x, area.x)
  return across >= GRIP && y >= area.y && y <= area.y + area.height - GRIP / 2
}
