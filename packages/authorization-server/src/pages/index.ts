export { consentPage } from './consent-page.ts'
export { donePage } from './done-page.ts'
export { errorPage } from './error-page.ts'
export { loginPage } from './login-page.ts'
export { ownerPage } from './owner-page.ts'
export { pageStyleHash } from './style.ts'
export type {
  ClientView,
  ConsentView,
  DoneView,
  ErrorView,
  FormError,
  LoginView,
  OwnerView,
  RedirectView,
  ScopeView,
  ServerView,
  ToolView,
} from './views.ts'
