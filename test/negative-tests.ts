/** One number of the catalogue of negative tests: what an attacker or a bad peer tries. */
export interface NegativeTest {
  readonly id: string
  readonly severity: 'critical' | 'high' | 'medium' | 'low'
  readonly title: string
  /** The part that must bring what is not proved yet; absent: tests prove all of it. */
  readonly later: string | undefined
  /** Tests prove what exists, and a later part must bring the rest. */
  readonly isPartly: boolean
}

// One line each: id, severity | what is tried | for what is not proved: the part that must bring it. `partly` is proved as far
// as the feature exists.
const table = `
A01 C | unknown client ids, and names that every object has |
A02 C | a redirect URI that is not registered |
A03 M | no redirect URI |
A04 C | near matches of a registered redirect URI |
A05 C | user information in a redirect URI |
A06 C | backslashes, controls and spaces in a redirect URI |
A07 H | another case, a default port, punycode |
A08 M | a fragment in a redirect URI |
A09 H | percent-encoded twins of a path |
A10 C | schemes that run or open something |
A11 C | more than the port of a loopback redirect changed |
A12 H | hosts that look like loopback |
A13 H | plain http to another host |
A14 H | parameters that stand there twice |
A15 C | response types that bring tokens into URLs |
A17 C | no code challenge |
A18 C | a challenge method other than S256 |
A19 M | a code challenge of the wrong form |
A21 M | scopes of the wrong form |
A22 C | a resource that is not served |
A23 H | a resource that is no absolute URI |
A25 C | a resource that the user may not use | partly: several tenants
A26 H | two resources |
A27 H | no resource where several are served |
A29 H | errors without iss or state |
A30 H | prompt=none |
A31 H | request objects and request URIs |
A33 C | an approval that changes the request |
A34 H | a redirect that posts credentials again |
A35 M | pages that load or tell others something |
A37 L | very long queries, very many parameters |
A38 M | a preflight to the authorization endpoint |
A39 M | broken encodings in each parameter |
A41 C | one issuer's things at another issuer |
A42 H | metadata that offers what must not be |
B01 C | a callback with a wrong, old or used state | upstream identity providers
B02 C | a callback in another browser | upstream identity providers
B03 C | the callback of one provider for another | upstream identity providers
B05 C | accounts linked by an unverified address | upstream identity providers
B06 M | markup in an error of the provider | upstream identity providers
B07 H | somebody else's code in the callback | upstream identity providers
B09 H | a user whom the provider has disabled | upstream identity providers
B10 H | groups that are missing or behind a link | upstream identity providers
C01 C | a code again |
C02 C | many redemptions of a code at once |
C03 H | a forged code that starts like a live one |
C05 C | wrong code verifiers |
C06 C | PKCE left out at either end |
C07 H | an old code |
C09 C | a code of another issuer |
C10 C | another client authentication than the registered one | partly: confidential clients
C11 C | a resource outside the grant |
C13 M | two client authentications | partly: confidential clients
C14 M | broken Basic headers | partly: confidential clients (a right secret works, in any case of the scheme)
C15 H | one client id in the header, another in the body | partly: confidential clients (400 instead of 401)
C17 M | other content types |
C18 L | other methods |
C19 H | parameters twice, arrays and objects |
C21 H | a grant that the client is not registered for |
C22 C | a rotated refresh token after its child was used |
C23 H | a rotated refresh token whose child was never used |
C24 C | a thief who refreshes first |
C25 H | an ancestor in a long chain of refreshes |
C26 C | many refreshes at once |
C27 C | a refresh by another client |
C28 C | a refresh without client authentication | partly: confidential clients
C29 C | more scope by a refresh |
C30 C | another resource by a refresh |
C31 C | a refresh after the grant or the user has ended |
C33 M | a refresh at the last moment |
C34 C | a revoked token after a restart |
C35 C | one kind of token for another |
C37 M | timing that tells known from unknown |
C38 M | errors that echo, or are kept |
C39 M | CORS with credentials |
C41 C | tokens that were not stored |
C42 M | a very large body |
C43 L | the revocation of what is no token |
C45 H | a revocation while the store fails |
C46 H | tokens of what was revoked | partly: introspection
C47 H | introspection by whom it does not concern | partly: introspection (who may ask, and about what)
C49 H | two not-before rules | admin API (there are no such rules yet)
C50 L | a wrong token type hint |
C51 M | tokens after the session has ended |
D01 H | registration where it is closed | admin API
D02 H | no redirect URIs |
D03 C | bad redirect URIs |
D05 C | privileged grants |
D06 M | metadata that contradicts itself |
D07 H | bad keys | partly: confidential clients
D09 H | addresses of pages that run something |
D10 H | names that hide or pretend something |
D11 M | the same in another language |
D13 H | software statements that prove nothing |
D14 H | very many registrations |
D15 C | somebody else's registration token | partly: admin API (RFC 7592; nothing is given out yet)
D17 H | what a deleted client has left |
D18 M | broken Authorization headers |
D19 M | very large, very deep or doubled JSON |
D21 H | users who make clients | partly: admin API (an API for the clients of a user)
D22 M | loopback for the web, plain http for programs |
D23 L | very many redirect URIs |
D25 L | two registrations at once that share something | partly: admin API
E01 H | documents over plain http |
E02 M | a client id without a path |
E03 H | dot segments, fragments, user information |
E05 C | redirects |
E06 M | other statuses |
E07 H | large, endless or compressed documents |
E09 M | what is no JSON document |
E10 C | addresses that are not public |
E11 C | addresses in odd spellings |
E12 C | a name that changes its address |
E13 H | a name with a public and a private address |
E14 H | names that lead inside |
E15 H | proxies from the environment |
E17 H | ports of other services |
E18 H | secrets in a document |
E19 H | addresses inside a document |
E21 M | lifetimes in the cache |
E22 H | redirect URIs that were taken away after consent |
E23 M | another name, logo or key after consent |
E25 H | very many documents |
E26 C | a famous client id with a local redirect |
E27 H | a redirect to another site than the document's | partly: control plane
E29 M | client ids in foreign letters |
E30 H | a document at our own address |
E31 M | errors that tell what stands where |
E33 H | markup in a client id |
E34 M | one client id on two devices |
E35 H | one public and one private address family |
F01 C | forms without our token |
F02 C | forms from another site |
F03 H | pages in a frame |
F05 H | places to go in parameters |
F06 H | a session from before the sign-in |
F07 C | consent for one client used by another |
F08 C | a sign-in that goes on in another browser |
F09 H | a cookie that stands for an approval to come |
F10 C | two tabs, changed parameters |
F11 H | a remembered yes for more than was asked |
F13 M | an approval twice |
F14 L | a no |
F15 H | another account between page and form |
F17 M | answers that tell who has an account |
F18 H | guessing passwords |
F19 H | links that are used again, or somewhere else |
F21 M | pages from a cache |
F22 H | an error page that leads to an untrusted place |
F23 M | languages and templates from the request |
F25 H | what the consent page must show |
F26 M | a sign-out by another site |
F27 C | a way around a second factor | upstream identity providers
F29 H | other doors of the pages |
F30 H | files by a path |
F31 L | headers of error pages |
F33 C | a page opened by another user than the one it is for |
G01 M | no token |
G02 C | no algorithm |
G03 C | the public key as a secret |
G05 C | a key in the header |
G06 C | the address of a key in the header |
G07 H | a certificate in the header |
G09 M | no key id where several keys fit |
G10 C | the keys of another issuer |
G11 C | another issuer |
G12 C | another audience |
G13 H | one audience more |
G14 C | other types of token |
G15 C | an ID token |
G17 M | tokens from the future |
G18 H | claims that are missing or of the wrong type |
G19 H | critical extensions |
G21 H | encrypted and compressed tokens |
G22 H | very large tokens |
G23 M | other serializations |
G25 C | broken signatures |
G26 M | weak keys |
G27 H | scopes that look alike |
G29 H | tokens in other places |
G30 M | other spellings of the header |
G31 C | a token for the server beside it |
G33 H | what a token says, in the challenge |
G34 H | metadata of other paths |
G35 M | headers that break a parser |
G36 C | a guard without issuer, audience or keys |
G37 C | an open door by an option |
G38 H | a cache that outlives its tokens |
G39 C | weak or shared secrets |
G40 C | routes that nobody guards |
G41 C | a body that was read or is not there |
H01 H | new keys |
H02 H | very many unknown key ids |
H03 H | an issuer that is away |
H05 H | redirects on the way to the keys |
H06 M | an issuer that hangs |
H07 M | keys for something else |
H09 C | an introspection that fails | introspection
H10 C | an introspection about another token | introspection
H11 H | an introspection from the cache | introspection
H13 H | metadata about another issuer |
H14 H | a forged or broken feed of revocations | partly: guards on other machines (a feed over the network)
I01 C | a bound token as bearer | DPoP
I02 C | a bound token without proof | DPoP
I03 M | an unbound token as a bound one | DPoP
I05 H | proofs with something missing | DPoP
I06 C | proofs of the wrong kind | DPoP
I07 H | proofs for another request | DPoP
I09 H | an address from forwarded headers | DPoP
I10 M | proofs from another time | DPoP
I11 H | a proof again | DPoP
I13 C | a proof for another token, or by another key | DPoP
I14 H | nonces | DPoP
I15 C | a code bound to another key | DPoP
I17 H | a client that is registered for DPoP, without | DPoP
I18 H | a proof for another server | DPoP
I19 M | very many or very large proofs | DPoP
I21 H | an introspection that forgets the key | DPoP
J01 C | subject tokens that are none | token exchange
J02 C | somebody else's subject token | token exchange
J03 C | a target outside the rules | token exchange
J05 M | a longer life | token exchange
J06 H | actor tokens without their type | token exchange
J07 H | an actor who is not named | token exchange
J09 H | impersonation | token exchange
J10 C | a chain that regains something | token exchange
J11 H | public clients | token exchange
J13 H | other token types | token exchange
J14 H | constraints that get lost | token exchange
J15 H | a subject that ends later | token exchange
J17 C | a cache that mixes users | token exchange
J18 H | the new token at our own door | token exchange
K01 C | assertions of another type | enterprise sign-in
K02 C | assertions for somebody else | enterprise sign-in
K03 C | another client in the assertion | enterprise sign-in
K04 H | another resource in the assertion | enterprise sign-in
K05 C | an assertion again | enterprise sign-in
K06 H | assertions from another time | enterprise sign-in
K07 C | issuers and keys that nobody trusts | enterprise sign-in
K09 M | public clients | enterprise sign-in
K10 M | a refresh token | enterprise sign-in
K11 C | users who are not known | enterprise sign-in
K13 C | another customer of the same provider | enterprise sign-in
K14 C | one kind of assertion for another | confidential clients
K15 H | constraints that get lost | enterprise sign-in
K17 M | guessing a client secret | confidential clients
K18 H | a client named like a user | confidential clients
K19 M | scopes of users for a machine | confidential clients
L01 C | another name in the header than in the body |
L02 C | another method in the header |
L03 H | another version in the header |
L05 C | mirrored headers twice |
L06 H | encoded names |
L07 H | mirrored arguments |
L08 C | an older version, to dodge the checks |
L09 M | versions that nobody speaks |
L10 H | odd header names |
L11 C | other content types |
L13 C | another origin |
L14 C | another host |
L15 M | CORS |
L17 H | HTTP/2 smuggled in |
L18 C | other spellings of the path |
L19 C | forwarded headers of a stranger |
L21 L | expectations and upgrades |
L22 H | headers in trailers |
L23 C | headers named in Connection |
L25 H | bodies that are too large, or lie about it |
L26 H | slow clients |
L27 H | compressed requests |
L29 H | JSON that takes long |
L30 C | a second request on the connection |
L31 L | very many, very large headers |
L33 C | every door says the same |
M01 C | batches |
M02 C | keys twice |
M03 C | members that other parsers fold together |
M04 C | other bytes than were decided about |
M05 C | names that every object has |
M06 H | numbers that change on the way |
M07 H | texts that change on the way |
M09 C | tool names that look alike |
M10 C | methods that are not on the list |
M11 C | calls without an id |
M12 C | equal ids of two clients |
M13 H | answers from a client |
M14 M | parameters of the wrong form |
M15 H | claims in _meta |
M17 C | arguments of the wrong type |
M18 M | arguments that the pinned schema does not allow | control plane (pinned schemas)
M19 C | a body that changes after the decision |
M21 H | answers to another user's question | partly: approvals (questions of revision 2026-07-28)
M22 C | links opened by another user | approvals (URL elicitation of our own)
M23 C | somebody else's task |
M25 M | completions of what is denied |
M26 M | handles of another user in arguments |
M27 C | a policy engine in trouble |
N01 H | lists for somebody else, and their cursors |
N02 C | lists that break the filter |
N03 H | denied names elsewhere |
N05 C | caches |
N06 C | streams that outlive the right |
N07 H | calls that outlive the right |
N09 C | somebody else's session |
N10 H | a session after a refresh, and after a change of user |
N11 C | somebody else's events |
N13 H | very many streams |
N14 L | session ids where there are none |
N15 C | questions of the server to the wrong client |
N17 C | headers of the upstream |
N18 H | an upstream that wants other credentials |
N19 H | a policy that changes |
N21 H | messages inside messages |
O01 C | the client's token at the upstream |
O02 C | other headers at the upstream |
O03 C | one user's call with another's credentials | upstream accounts
O05 C | an upstream that moves | upstream accounts
O06 C | addresses that an upstream names | upstream accounts
O07 H | an upstream's authorization server that does not fit | upstream accounts
O09 C | an account linked by one, finished by another | upstream accounts
O10 H | templates that run or reveal something | upstream accounts
O11 H | an upstream without a valid certificate |
O13 M | an upstream that takes access away | upstream accounts
O14 H | a call sent twice |
O15 M | errors of the upstream |
O16 C | a server that is not the user's |
O17 C | headers that switch something off |
O18 H | upstream tokens with more rights | upstream accounts
O19 M | what is left of an unlinked account | upstream accounts
P01 C | the environment of a child |
P02 H | what a child inherits |
P03 C | who may add a command |
P05 H | output without end |
P06 H | messages for somebody else |
P07 H | children that outlive us |
P09 M | a child that keeps crashing |
P10 H | a child that takes everything | partly: limits by the system (memory, processor time and number of processes are not bounded)
P11 H | secrets in the process list |
P13 H | what a child may reach |
P14 M | a directory outside |
Q01 C | authorization endpoints that run something |
Q02 C | URLs for a shell |
Q03 C | metadata of another issuer |
Q04 C | iss, in every case |
Q05 C | metadata of another resource |
Q06 H | metadata from elsewhere |
Q07 H | servers without PKCE |
Q09 H | a callback that others reach |
Q10 H | a callback that another program takes |
Q11 C | another authorization server |
Q13 H | two servers on one host |
Q14 M | steps up without end |
Q15 H | files of tokens |
Q16 C | tokens that get out |
Q17 H | several processes |
Q18 M | broken challenges |
Q19 H | broken token answers |
Q21 M | registrations that come back changed |
Q22 C | a mix-up |
Q23 H | links that the server sends |
Q25 M | broken schemas |
Q26 C | installation by a link |
Q27 M | control characters in a terminal |
Q29 M | proxies |
R01 C | a tool that changes after approval | control plane
R02 M | the same tool, written otherwise | control plane
R03 H | a new tool | partly: pinned tools
R05 H | hidden text | control plane
R06 H | instructions in other places | control plane
R07 H | annotations that lie | control plane
R09 M | poisoned results | control plane
R10 M | names that look alike | control plane
R11 M | very many tools | control plane
R13 H | pins that were changed | control plane
S01 C | other tokens at the admin API | partly: admin API and console (its own audience)
S02 C | forms from another site | partly: admin API and console (each call that changes something)
S03 C | markup in stored texts | partly: admin API and console (tools, servers, records on its pages)
S05 C | the first run | partly: admin API and console
S06 H | giving oneself a role | admin API and console (roles)
S07 H | secrets that come back | partly: admin API and console (exports and answers)
S09 H | a bad policy |
S10 C | addresses to be tested | admin API and console (through the one safe fetch)
S11 M | the end of a session | partly: admin API and console
S13 H | what is switched off | partly: admin API and console
S14 C | injection by search and sort | partly: admin API and console (search, sort, cursors)
S15 H | what only admins may register | partly: upstream identity providers (providers and domains)
T01 H | lines that break the log |
T02 C | secrets in the log |
T03 H | a log that was changed |
T04 C | a log that cannot be written |
T05 H | a crash between decision and answer |
T06 H | what must be recorded | partly: admin API and console (failed logins, and a policy that one node reads anew; keys do not change yet)
T07 H | a flood of junk |
T09 M | half a line after a crash |
T10 M | forged trace ids |
T11 M | a log file that is a link |
T13 H | who may read and erase | admin API and console (today: who owns the state directory)
U01 H | guessing |
U02 H | many addresses of one network |
U03 H | a limiter that is away | partly: shared limits
U05 H | ways around a limit |
U06 H | a flood of bad tokens |
U07 H | very many idle connections |
U09 M | very many sign-ins that nobody ends |
U10 M | hashing as an amplifier |
U11 L | what too many requests are told |
V01 C | a crash at any point of a redemption |
V02 C | a crash at any point of a refresh |
V03 C | a full or broken disk |
V05 C | a failover |
V06 C | conflicts and retries |
V07 H | a database that is slow or away |
V09 C | a restart between writing and checking |
V10 H | upgrades with live tokens |
V11 H | an old backup |
V13 H | records that a cache drops | there is no such cache
V14 C | keys made of parts |
V15 M | expiry against refresh |
V17 M | an orderly end under load |
V18 C | a day of faults | a run of a day, before a release
W01 H | what is in the package |
W02 M | an install without scripts |
W03 H | dependencies | before a release
W05 M | a build that can be repeated | before a release
W06 C | the configuration as shipped |
`

const severities = { C: 'critical', H: 'high', M: 'medium', L: 'low' } as const

/** All numbers, in order. */
export const negativeTests: readonly NegativeTest[] = table
  .trim()
  .split('\n')
  .map((line) => {
    const [head = '', title = '', note = ''] = line.split('|').map((cell) => cell.trim())
    const [id = '', letter = ''] = head.split(' ')
    const isPartly = note.startsWith('partly: ')
    const later = note.replace('partly: ', '')
    const severity = severities[letter as keyof typeof severities]
    return { id, severity, title, later: later === '' ? undefined : later, isPartly }
  })
