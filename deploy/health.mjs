// Whether the Warder of this container answers: exit code 0 or 1. It is asked on loopback, in plain HTTP or in TLS; who it is
// does not matter here, so the certificate is not checked.
import { get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'

const port = process.env.WARDER_PORT ?? '8765'

function isReady(get, scheme) {
  return new Promise((resolve) => {
    const url = `${scheme}://127.0.0.1:${port}/readyz`
    get(url, { timeout: 4_000, rejectUnauthorized: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
      .on('timeout', () => resolve(false))
      .on('error', () => resolve(false))
  })
}

const answers = await Promise.all([isReady(getHttp, 'http'), isReady(getHttps, 'https')])
process.exit(answers.includes(true) ? 0 : 1)
