/** Numbered by position, the first is 1. A migration that was released is never edited; the next one is appended. */
export const migrations: readonly string[] = [
  `
  create table users (
    id text primary key,
    email text not null unique,
    role text not null check (role in ('owner', 'user')),
    password_hash text not null,
    created_at integer not null,
    disabled_at integer
  ) strict;
  create unique index users_one_owner on users (role) where role = 'owner';

  create table owner_links (
    hash text primary key,
    expires_at integer not null,
    created_at integer not null
  ) strict;

  create table login_failures (
    key text primary key,
    failures integer not null,
    last_at integer not null,
    blocked_until integer not null
  ) strict;
  create index login_failures_last on login_failures (last_at);

  create table clients (
    id text primary key,
    kind text not null check (kind in ('self-registered', 'pre-registered')),
    metadata text not null,
    created_at integer not null,
    disabled_at integer
  ) strict;

  create table client_documents (
    url text primary key,
    body text not null,
    etag text,
    fetched_at integer not null,
    fresh_until integer not null
  ) strict;
  create index client_documents_fresh on client_documents (fresh_until);

  create table transactions (
    number integer primary key autoincrement,
    id text not null unique,
    client_id text not null,
    request text not null,
    browser_hash text not null,
    form_hash text not null,
    user_id text references users (id),
    signed_in_at integer,
    created_at integer not null,
    expires_at integer not null
  ) strict;
  create index transactions_client on transactions (client_id, number);
  create index transactions_user on transactions (user_id);
  create index transactions_expiry on transactions (expires_at);

  create table consents (
    user_id text not null references users (id),
    client_id text not null,
    redirect_host text not null,
    resource text not null,
    scope text not null,
    decision text not null check (decision in ('granted', 'declined')),
    at integer not null,
    primary key (user_id, client_id, redirect_host, resource, scope)
  ) strict, without rowid;

  create table sessions (
    hash text primary key,
    user_id text not null references users (id),
    signed_in_at integer not null,
    expires_at integer not null
  ) strict;
  create index sessions_user on sessions (user_id);
  create index sessions_expiry on sessions (expires_at);

  create table grants (
    id text primary key,
    user_id text not null references users (id),
    client_id text not null,
    client_class text not null,
    resource text not null,
    scopes text not null,
    created_at integer not null,
    revoked_at integer,
    revoked_because text
  ) strict;
  create index grants_user on grants (user_id);
  create index grants_client on grants (client_id);
  create index grants_created on grants (created_at);

  create table codes (
    hash text primary key,
    grant_id text not null references grants (id),
    redirect_uri text not null,
    challenge text not null,
    expires_at integer not null,
    redeemed_at integer,
    wrong_verifiers integer not null
  ) strict;
  create index codes_grant on codes (grant_id);
  create index codes_expiry on codes (expires_at);

  create table refresh_tokens (
    hash text primary key,
    grant_id text not null references grants (id),
    expires_at integer not null,
    used_at integer,
    successor_hash text,
    sealed_successor text,
    sealed_until integer
  ) strict;
  create index refresh_tokens_grant on refresh_tokens (grant_id);
  create index refresh_tokens_expiry on refresh_tokens (expires_at);
  create unique index refresh_tokens_successor on refresh_tokens (successor_hash) where successor_hash is not null;
  create index refresh_tokens_sealed on refresh_tokens (sealed_until) where sealed_until is not null;

  create table signing_keys (
    kid text primary key,
    algorithm text not null check (algorithm = 'ES256'),
    public_jwk text not null,
    sealed_private_jwk text not null,
    created_at integer not null
  ) strict;

  create table change_counter (
    id integer primary key check (id = 1),
    number integer not null
  ) strict;
  insert into change_counter (id, number) values (1, 0);

  create table changes (
    number integer primary key,
    kind text not null,
    subject text not null,
    at integer not null,
    until integer not null
  ) strict;
  create unique index changes_token on changes (subject) where kind = 'token-revoked';
  create index changes_until on changes (until);

  create table events (
    number integer primary key autoincrement,
    at integer not null,
    kind text not null,
    details text not null
  ) strict;
  `,
  `
  alter table grants add column client_name text not null default '';
  alter table grants add column redirect_host text not null default '';
  alter table grants add column signed_in_at integer not null default 0;
  update grants set signed_in_at = created_at;
  create index consents_declined on consents (at) where decision = 'declined';
  `,
  `
  create table policies (
    number integer primary key autoincrement,
    digest text not null,
    text text not null,
    node text not null,
    at integer not null
  ) strict;
  create index policies_digest on policies (digest);
  create index consents_client on consents (client_id);
  create index clients_unused on clients (created_at) where kind = 'self-registered';
  `,
  `
  alter table transactions add column peer text not null default '';
  create index transactions_peer on transactions (peer, client_id, number);
  alter table consents add column client_digest text not null default '';
  `,
  `
  alter table clients add column first_granted_at integer;
  update clients set first_granted_at = created_at where id in (select client_id from grants);
  drop index clients_unused;
  create index clients_never_granted on clients (created_at, id)
    where kind = 'self-registered' and first_granted_at is null;
  `,
]
