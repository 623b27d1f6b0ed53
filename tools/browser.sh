#!/bin/sh
# Type-checks the console and tests it in Chromium against bin/notify; "browser.sh ready" only builds it and sees that
# there is a Chromium, which the tests of deploy/ use too. What is missing is named, loudly.
set -eu
cd "$(dirname "$0")/.."

missing() {
	echo "BROWSER MISSING: $1; the console was not tested"
	exit 0
}
command -v npm >/dev/null 2>&1 || missing "there is no Node.js with npm"
found() { [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }
if ! found; then
	command -v apt-get >/dev/null 2>&1 || missing "there is no Chromium (set CHROMIUM to one)"
	[ "$(id -u)" = 0 ] || missing "there is no Chromium, and only root could install it (apt-get install chromium)"
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk; } >/dev/null 2>&1 || missing "apt-get could not install chromium"
fi
tools/console.sh
[ "${1:-}" != ready ] || exit 0
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/notify ./cmd/notify
cd web
npm run --silent check
NOTIFY=../bin/notify exec node --test --test-concurrency=2 test/*.test.mjs
