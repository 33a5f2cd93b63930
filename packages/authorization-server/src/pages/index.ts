export { accountDone, accountPage } from './account-page.ts'
export { consentPage } from './consent-page.ts'
export { donePage } from './done-page.ts'
export { errorPage } from './error-page.ts'
export { loginPage } from './login-page.ts'
export { ownerPage } from './owner-page.ts'
export { pageStyleHash } from './style.ts'
export type {
  AccountDone,
  AccountView,
  ClientView,
  ConsentView,
  DoneView,
  ErrorView,
  FormError,
  GrantView,
  LoginView,
  OtherServerView,
  OwnerView,
  RedirectView,
  ScopeView,
  ServerView,
  SessionView,
  ToolView,
} from './views.ts'
