import type { WebRequest } from './message.ts'

/** The parts of a cookie of ours, which stand between dots. The name may come several times, as that of any cookie. */
export function readCookie(request: WebRequest, name: string): readonly string[] {
  return (request.headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .flatMap((pair) => pair.slice(name.length + 1).split('.'))
}
