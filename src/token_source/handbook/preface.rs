//! What docs/failures.md says before its tables.

pub(super) const HEAD: &str = "<!-- Made from the code by `make generate`. Edit src/token_source/ instead. -->
# When there is no token: every reason

A source that gets no token says why in one word, the *reason*. This page has all of them: what the word means, by what it is
told, what to do, and when the operator tries again. Each condition of a failed source ends with a link to its reason here.

## How to read a condition

```console
$ kubectl get tks orders -n shop -o jsonpath='{.status.conditions[?(@.type==\"Refreshed\")].message}{\"\\n\"}'
$ kubectl get tks orders -n shop -o jsonpath='{.status.lastFailure}'
```

A message has up to 500 characters, as in:";

pub(super) const PARTS: &str = "| part | is |
|---|---|
| `login.example.com answered 401` | who answered, with which HTTP status. Without a status no answer came, or nothing was sent: the fault is in a manifest, in a Secret, or on the way |
| `invalid_client` | the server's `error` code, as it came |
| `the client was not accepted` | the reason in words |
| `(WrongSecret)` | the cause, where the answer tells it |
| the words in quotation marks | the server's own description, without ids, dates, token-like runs and credentials |
| `Put the client's current secret …` | what to do: first what holds for any server, then what the vendor of this one has to say, if its address shows the vendor |
| `Hint: …` | a guess of ours from the request itself, not from the answer: see [Hints](#hints) |
| `See …` | the reason's place on this page |

What is cut off with `…` stands whole in `status.lastFailure.message` and `status.lastFailure.remedy`. `Refreshed` tells of the
last token request. `Ready` stays True until the token expires. `Stalled` appears where nothing will change soon unless somebody
acts.";

pub(super) const RETRIES: &str = "## When it is tried again

| word | means |
|---|---|
| *change* | when an object that it depends on changes; nothing is sent before |
| *input* | when the request or the credentials change, or a refresh is forced; once by itself, after `refresh.retryRejectedAfter` |
| *slow* | after `refresh.retryRejectedAfter` (1 h), doubling up to 24 h |
| *backoff* | from `--min-refresh-interval` (10 s), doubling up to 5 minutes; sooner where a token is about to expire |
| *server* | when the server's `Retry-After` says, an hour at most; without one like *backoff* |

Corrected credentials, or a spec that makes another request, are tried at once, whatever the word.";

pub(super) const LOCK_OUT: &str = "## Lock-out safety

The same refused credentials are sent at most twice in any 60 minutes, by all sources of the operator together and over its
restarts. A forced refresh, a touched Secret or another source with the same credentials gets no third attempt: the message then
says that they are not sent again, and `status.nextAttemptTime` says until when. *Other* credentials are tried at once, so look
a secret up instead of trying several: servers count every wrong one ([more](../README.md#lock-out-safety)).";

pub(super) const EVIDENCE: &str = "## What decides

Servers use the codes of the RFC differently, so one answer is read in a fixed order. What comes first is surer than what
follows, and the first that says something decides:

1. Was there an answer at all? A TLS alert about our certificate, a server that is not trusted, DNS, a broken connection.
2. A proxy that wants credentials (407), then the codes of the header `X-Message-Code`.
3. Redirects, which are never followed; outages (408, 502 to 504, 520 to 530); too many requests (429).
4. Pages and plain text that are not the authorization server's.
5. A success: a usable token, or what is wrong with it. An `error` beside a token is an error.
6. Numbered codes (`AADSTS…`), then an error that is nested in the description.
7. Codes that mean the same wherever they are used, such as `invalid_scope` or `mfa_required`.
8. The words of the description, the most specific first. They refine; no server has to speak English.
9. The codes with several meanings (`invalid_client`, `invalid_grant`, `unauthorized_client`), by grant and status.
10. The status alone.

What the answer does not tell is not guessed at. Where a password grant is refused and it may be client or user, the client asks
alone once, by `client_credentials` and without user data; `spec.diagnosis.probe: Never` forbids that.
`tokensource explain` reads a recorded answer in the same way.";

pub(super) const HINTS: &str = "## Hints

A sentence that begins with `Hint:` is a guess of ours. It is made from the request, never from the answer, and shows no part of a
secret. It stands behind the remedy in `status.lastFailure.remedy`, two at most, and only with a refusal that it can explain.";
