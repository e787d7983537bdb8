#!/usr/bin/env bash
# npm test: installs, builds, checks and tests everything, and says at the end how much of it passed.
set -uo pipefail
cd "$(dirname "$0")/.."
set -e
scripts/install.sh
npm run --silent check
node scripts/bundle.mjs
peers=$(scripts/peers.sh)
set +e
results=$(mktemp)
PATH="$peers:$PATH" npx vitest run --reporter=default --reporter=json --outputFile.json="$results" "$@"
status=$?
node scripts/summary.mjs "$results" || status=1
rm -f "$results"
exit $status
