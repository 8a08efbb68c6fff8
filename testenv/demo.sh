#!/usr/bin/env bash
# The main job in two minutes, on a local control plane with a real Keycloak. Run by `make demo`, inside `testenv run`.
# Usage: demo.sh PATH_OF_THE_TOKENSOURCE_BINARY
set -euo pipefail

tokensource=$(realpath "$1")
cd "$(dirname "$0")/.."
namespace=demo
token_url="$TESTENV_KEYCLOAK_URL/realms/op/protocol/openid-connect/token"
log=$(mktemp)
operator=

kubectl() { "$TESTENV_KUBECTL" --warnings-as-errors=false "$@"; }
say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
show() { printf '\033[36m$ kubectl %s\033[0m\n' "$*"; kubectl "$@"; }

end() {
  local code=$?
  [ -z "$operator" ] || { kill -TERM "$operator" 2>/dev/null && wait "$operator" 2>/dev/null; } || true
  if [ "$code" -ne 0 ]; then
    echo "The demo failed. The operator's last words:" >&2
    tail -n 20 "$log" >&2
  fi
  rm -f "$log"
}
trap end EXIT

# The token itself is never printed: enough of its hash to see that it is another one.
fingerprint() { kubectl get secret -n "$namespace" "$1" -o 'jsonpath={.data.access_token}' | sha256sum | cut -c1-12; }
expiry() { kubectl get secret -n "$namespace" "$1" -o 'jsonpath={.metadata.annotations.tokensource\.dev/expires-at}'; }

# until_is SECONDS WHAT JSONPATH VALUE NAME: waits for a field of a TokenSource.
until_is() {
  for _ in $(seq $(($1 * 5))); do
    [ "$(kubectl get tks -n "$namespace" "$5" -o "jsonpath=$3")" = "$4" ] && return 0
    sleep 0.2
  done
  echo "Waited $1 s in vain for this: $5 is $2." >&2
  return 1
}

say "Install the CRD and start the operator"
show apply -f crds/
kubectl wait --for=condition=Established crd/tokensources.tokensource.dev >/dev/null
kubectl create namespace "$namespace" >/dev/null
"$tokensource" run --namespace "$namespace" --allow-http --allow-cidr 127.0.0.0/8 2>"$log" &
operator=$!

say "Apply three TokenSources: a good one with tokens of 20 seconds, a wrong client secret, a wrong user password"
kubectl apply -f - <<MANIFEST
apiVersion: v1
kind: Secret
metadata: {name: good-client, namespace: $namespace}
stringData: {client_id: cc-short, client_secret: cc-short-secret}
---
apiVersion: v1
kind: Secret
metadata: {name: mistyped-client, namespace: $namespace}
stringData: {client_id: cc, client_secret: mistyped}
---
apiVersion: v1
kind: Secret
metadata: {name: technical-user, namespace: $namespace}
stringData: {client_id: ropc, client_secret: ropc-secret, username: alice, password: mistyped}
---
apiVersion: tokensource.dev/v1alpha1
kind: TokenSource
metadata: {name: orders, namespace: $namespace}
spec:
  tokenURL: $token_url
  credentials: {secretRef: {name: good-client}}
---
apiVersion: tokensource.dev/v1alpha1
kind: TokenSource
metadata: {name: wrong-secret, namespace: $namespace}
spec:
  tokenURL: $token_url
  credentials: {secretRef: {name: mistyped-client}}
---
apiVersion: tokensource.dev/v1alpha1
kind: TokenSource
metadata: {name: wrong-password, namespace: $namespace}
spec:
  tokenURL: $token_url
  grant: {type: Password}
  credentials: {secretRef: {name: technical-user}}
MANIFEST
until_is 30 "ready" '{.status.conditions[?(@.type=="Ready")].status}' True orders
until_is 30 "classified" '{.status.conditions[?(@.type=="Ready")].reason}' ClientAuthenticationFailed wrong-secret
until_is 30 "classified" '{.status.conditions[?(@.type=="Ready")].reason}' UserAuthenticationFailed wrong-password

say "Keycloak refused two of them: one because of the client, one because of the user"
show get tks -n "$namespace"
for name in wrong-secret wrong-password; do
  printf '\n%s: ' "$name"
  kubectl get tks -n "$namespace" "$name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].message}{"\n"}'
done

say "What the workload mounts"
show describe secret -n "$namespace" orders | sed '/^Name:/d;/^Namespace:/d;/^$/d'

say "The token is renewed before it expires"
first=$(fingerprint orders)
for renewal in 1 2; do
  before=$(fingerprint orders)
  echo "  token $before…  expires $(expiry orders)"
  for _ in $(seq 150); do
    [ "$(fingerprint orders)" = "$before" ] || break
    sleep 0.2
  done
  [ "$(fingerprint orders)" != "$before" ] || { echo "The token was not renewed ($renewal)." >&2; exit 1; }
done
echo "  token $(fingerprint orders)…  expires $(expiry orders)"
[ "$(fingerprint orders)" != "$first" ]

say "Correct the client secret: it is tried at once"
kubectl create secret generic mistyped-client -n "$namespace" --from-literal=client_id=cc --from-literal=client_secret=cc-secret --dry-run=client -o yaml \
  | kubectl apply -f - 2>/dev/null
until_is 30 "ready" '{.status.conditions[?(@.type=="Ready")].status}' True wrong-secret
show get tks -n "$namespace"
show get events -n "$namespace" --sort-by=.metadata.creationTimestamp -o 'custom-columns=TYPE:.type,REASON:.reason,SOURCE:.involvedObject.name'
say "Done. Nothing is left running."
