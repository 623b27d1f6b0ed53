#!/bin/sh
# Builds the console into web/dist when something is newer than what is there. Without npm its placeholder
# is served, and that is said in one line.
set -eu
cd "$(dirname "$0")/../web"

if ! command -v npm >/dev/null 2>&1; then
	echo "console: npm is not here, so its placeholder is served (install Node.js 20 or newer, then: make console)"
	exit 0
fi
built=dist/index.html.gz
if [ -f "$built" ] && [ -z "$(find src index.html build.mjs types.mjs package-lock.json ../docs/openapi.json -newer "$built" ! -name api.gen.ts -type f | head -n 1)" ]; then
	exit 0
fi
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	npm ci --no-audit --no-fund --loglevel=error
	touch node_modules/.package-lock.json
fi
node build.mjs
