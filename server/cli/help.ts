export const HELP = `Latchkey: a sign-in server with its console.

Usage
  latchkey serve [options]        start the server and print where it answers
  latchkey audit verify FILE      check an exported audit: changed, missing, misplaced entries; 0: it is intact, 1: it is not,
                                  or its key is not this server's; without a data directory or --key: not proved whose

Options
  --port NUMBER                   port to listen on (default 8787; 0: any free one)
  --host ADDRESS                  address to listen on (default 127.0.0.1: this machine only)
  --data-dir DIRECTORY            where database, keys and log live
  --database URL                  postgres://… instead of the embedded database (better: LATCHKEY_DATABASE)
  --print-login-token             mint a startup token and print it: a way back in for a locked-out superuser
  --public-url URL                the address that browsers use, when a proxy stands before the server
  --trusted-proxy ADDRESS         a proxy (address or CIDR range) whose forwarded headers count; may be repeated
  --insecure-http                 allow sign-in over plain HTTP from other machines (shown as a red bar)
  --atproto-private               let ATProto providers be on this machine or network, and over plain HTTP
  --atproto-plc URL               look did:plc up there instead of in the public directory
  --atproto-resolver URL          ask this server what ATProto handles mean, instead of DNS and their hosts
  --log-file FILE                 default latchkey.log in the data directory; - for standard error
  --log-level LEVEL               debug, info, warn or error (default info)
  --json                          print one JSON object a line: event, url, token; of audit verify: its report
  --key KEY                       with audit verify: the key that must have signed the export
  --help, --version

Variables
  LATCHKEY_DATABASE, LATCHKEY_DATA_DIR, LATCHKEY_LOG_FILE, LATCHKEY_LOG_LEVEL,
  LATCHKEY_ATPROTO_PRIVATE=1, LATCHKEY_ATPROTO_PLC, LATCHKEY_ATPROTO_RESOLVER

Exit codes
  0 ended as asked   1 something failed   2 wrong usage   3 the data directory is in use
  4 the database or its keys cannot be opened   5 the port or address cannot be used
`
