import type { Row } from '../row.ts'
import { authorizeRows } from './authorize.ts'
import { bearerRows } from './bearer.ts'
import { documentRows } from './documents.ts'
import { doorRows } from './door.ts'
import { listRows } from './lists.ts'
import { messageRows } from './messages.ts'
import { pageRows } from './pages.ts'
import { registrationRows } from './registration.ts'
import { tokenRows } from './token.ts'
import { upstreamRows } from './upstream.ts'

/** The whole table. A number may stand in several rows, where its twin or what it needs differs. */
export const rows: readonly Row[] = [
  ...authorizeRows,
  ...tokenRows,
  ...registrationRows,
  ...documentRows,
  ...pageRows,
  ...bearerRows,
  ...doorRows,
  ...messageRows,
  ...listRows,
  ...upstreamRows,
]
