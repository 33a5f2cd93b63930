import { html } from 'hono/html'
import { warningIcon } from './icons.ts'
import { isolate } from './isolate.ts'
import type { Markup } from './markup.ts'
import type { FormError } from './views.ts'

/** Why the form came back; fields point at it with `aria-describedby="form-error"`. */
export function formAlert(says: string | undefined): Markup | '' {
  if (says === undefined) return ''
  return html`<div class="note alert" role="alert" id="form-error">${warningIcon}<p>${isolate(says, 400)}</p></div>`
}

/** One text field of a form. */
export interface FieldView {
  readonly name: string
  readonly label: string
  readonly type: 'email' | 'password'
  readonly autocomplete: 'username' | 'current-password' | 'new-password'
  readonly hint?: string
  readonly value?: string
  readonly minLength?: number
  readonly error: FormError | undefined
}

/** A labelled text field, described by its hint and by the error that came back, if that is about this field. */
export function formField(field: FieldView): Markup {
  const invalid = field.error?.fields.includes(field.type) === true
  const described = [
    ...(field.hint === undefined ? [] : [`${field.name}-hint`]),
    ...(invalid ? ['form-error'] : []),
  ].join(' ')
  const hint = field.hint === undefined ? '' : html`<p class="hint" id="${field.name}-hint">${field.hint}</p>`
  return html`<div class="field">
<label for="${field.name}">${field.label}</label>
${hint}<input id="${field.name}" name="${field.name}" type="${field.type}" autocomplete="${field.autocomplete}" required autocapitalize="none" autocorrect="off" spellcheck="false"${
    field.value === undefined ? '' : html` value="${field.value}"`
  }${field.minLength === undefined ? '' : html` minlength="${field.minLength}"`}${
    described === '' ? '' : html` aria-describedby="${described}"`
  }${invalid ? html` aria-invalid="true"` : ''}>
</div>`
}
