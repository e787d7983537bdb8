#!/usr/bin/env bash
# npm start: installs and builds what is missing, then runs an agent in development mode.
# More flags go to the agent: npm start -- -http-port=9500
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh
npm run --silent build
exec bin/rollcall agent -dev "$@"
