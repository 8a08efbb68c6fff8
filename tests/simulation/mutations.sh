#!/usr/bin/env bash
# Which faults the simulation notices: builds a copy of the project with all mutations, and runs the first seeds with each of them.
# MUTATIONS: some of their names; MUTATION_SEEDS: how many seeds (400).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
target=$(realpath --canonicalize-missing "$target")
seeds=${MUTATION_SEEDS:-400}
patch=$root/tests/simulation/mutations.patch
names=${MUTATIONS:-$(sed -n 's/.*mutated("\([a-z-]*\)").*/\1/p' "$patch" | sort -u)}

copy=$target/mutations
rm -rf "$copy"
mkdir -p "$copy"
trap 'rm -rf "$copy"' EXIT
cd "$root"
git ls-files -z | xargs -0 cp --parents --target-directory "$copy"
cd "$copy"
# A folder of its own to git, also where it lies within the project's.
GIT_CEILING_DIRECTORIES=$target git apply "$patch" ||
  { echo "tests/simulation/mutations.patch no longer fits the sources: mend its hunks" >&2; exit 1; }
export CARGO_TARGET_DIR=$target
cargo test --quiet --profile simulation --test simulation --no-run

# By which invariants how many seeds were found.
run() {
  local told
  told=$(MUTATION=$1 cargo test --quiet --profile simulation --test simulation -- run --seeds "$seeds" 2>&1) || true
  grep -q "simulated days" <<<"$told" || { tail -20 <<<"$told" >&2; return 1; }
  sed -n 's/^seed .*VIOLATED \([a-zA-Z -]*\):.*/\1/p' <<<"$told" | sort | uniq -c | sed 's/^ *\([0-9]*\) \(.*\)/\2 \1/' | paste -sd, -
}
unmutated=$(run none)
[ -z "$unmutated" ] || { echo "without a mutation it does not hold either: $unmutated" >&2; exit 1; }
for name in $names; do
  found=$(run "$name")
  printf '%-24s %s\n' "$name" "${found:-not noticed}"
done
