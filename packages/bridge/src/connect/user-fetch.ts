/** One HTTP request to the server that the user named; redirects are never followed. Streams the body of its answer. */
export type UserFetch = (url: string, init: UserRequest) => Promise<Response>

export interface UserRequest {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly signal?: AbortSignal
}
