import { createServer } from 'node:http'

// A foreign authorization server, as far as `warder protect --issuer` asks it: metadata and keys.
const [port, jwks] = process.argv.slice(2) as [string, string]

const issuer = `http://127.0.0.1:${port}`
const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ['code'],
}

createServer((req, res) => {
  const body = req.url === '/jwks' ? jwks : JSON.stringify(metadata)
  res.writeHead(200, { 'content-type': 'application/json' }).end(body)
}).listen(Number(port), '127.0.0.1', () => console.log('{}'))
