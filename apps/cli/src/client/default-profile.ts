/** The account of who names none, as `@warder/client` has it: by itself, since `warder connect` greets before it loads that. */
export const defaultProfile = 'default'
