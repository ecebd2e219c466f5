import {
  mdiClockOutline,
  mdiConsole,
  mdiLinkVariant,
  mdiMonitor,
  mdiMonitorLock,
  mdiRocketLaunchOutline,
} from '@mdi/js'
import type { AccessKind } from '../../../api/access.ts'

/** A picture for each kind of way in; the words always stand beside it. */
export const KIND_ICONS: Record<AccessKind, string> = {
  session: mdiMonitor,
  login_token: mdiLinkVariant,
  temporary_password: mdiClockOutline,
  developer_token: mdiConsole,
  trusted_device: mdiMonitorLock,
  startup_token: mdiRocketLaunchOutline,
}

/** As in `api/access.ts`: each kind is counted so far; one more means that there are more. */
export const MOST_COUNTED = 1_000
