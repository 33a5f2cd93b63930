import { type Form, Refusal } from '@warder/protocol'
import { exchangeCode } from '../grants/authorization-code.ts'
import { rotateRefreshToken } from '../grants/refresh-token.ts'
import { loadTokenClient, type TokenClient } from '../grants/token-client.ts'
import { jsonResponse } from '../json-response.ts'
import { readFormBody } from '../read-body.ts'
import type { Endpoint, Services } from '../services.ts'
import type { TokenAnswer } from '../tokens/issue.ts'

type Grant = (form: Form, client: TokenClient, services: Services) => Promise<TokenAnswer>

/** The grant types that exist here. */
const grants: ReadonlyMap<string, Grant> = new Map([
  ['authorization_code', exchangeCode],
  ['refresh_token', rotateRefreshToken],
])

/** The token endpoint (OAuth 2.1 section 3.2). */
export const token: Endpoint = async (request, _visit, services) => {
  const form = await readFormBody(request, ['resource'])
  const grant = readGrantType(form)
  const client = await loadTokenClient(request, form, services.store)
  return jsonResponse(await grant(form, client, services))
}

function readGrantType(form: Form): Grant {
  const name = form.get('grant_type')
  if (name === undefined) throw new Refusal('parameter.missing', { detail: 'grant_type' })
  const grant = grants.get(name)
  if (grant === undefined) throw new Refusal('grant-type.unsupported')
  return grant
}
