// The program `ip`, which makes the two machines of the network test: the machine's own, else Debian's package.
import { installPackage, mayInstallPackages } from './debian.mjs'
import { findOnPath, isProgram } from './find-program.mjs'

const usualPlaces = ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip', '/bin/ip']

/** Installs it where it is missing and may be; elsewhere the test itself says, loudly, that it is left out. */
export async function provideNamespaces() {
  if (process.platform !== 'linux' || findOnPath(['ip']) || usualPlaces.some((path) => isProgram(path))) return
  if (mayInstallPackages()) await installPackage('iproute2')
}
