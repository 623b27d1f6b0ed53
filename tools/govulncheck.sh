#!/bin/sh
# govulncheck <binary> <packages>: known vulnerabilities fail. Where the database of vulnerabilities cannot
# be reached (offline, behind a firewall) that is said in one line and is no failure.
set -u
govulncheck=$1
shift

out=$(mktemp)
trap 'rm -f "$out"' EXIT
unknown() {
	echo "govulncheck: its database cannot be had here; not checked"
	exit 0
}

# First one small package: a firewall that swallows packets must cost seconds, not minutes.
"$govulncheck" -scan module >"$out" 2>&1 &
pid=$!
seconds=0
while kill -0 "$pid" 2>/dev/null && [ "$seconds" -lt 20 ]; do
	sleep 1
	seconds=$((seconds + 1))
done
kill "$pid" 2>/dev/null
wait "$pid"
code=$?
if [ "$code" -gt 128 ] || grep -q "fetching vulnerabilities" "$out"; then
	unknown
fi
"$govulncheck" "$@"
