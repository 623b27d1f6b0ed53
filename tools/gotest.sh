#!/bin/sh
# Runs all Go tests, and so many histories of the virtual world: with the race detector where goroutines are started,
# without it elsewhere, because it compiles everything once more and makes tests several times as long.
set -eu
cd "$(dirname "$0")/.."
seeds=$1
GOFLAGS="$(go env GOFLAGS) -trimpath" # as the linters compile, so that it is compiled once
export GOFLAGS
run() { # NICENESS CGO_ENABLED ARGUMENT...
	niceness=$1 cgo=$2
	shift 2
	CGO_ENABLED=$cgo nice -n "$niceness" go test -vet=off -p 2 -parallel 8 -timeout 15m "$@"
}

# A world is one stack after the other: there is no race in it. It has the machine for itself, last.
all=$(go list ./... | grep -v -e /pkg/sim$ -e /deploy$)
if [ "$(go env CGO_ENABLED)" = 1 ] && command -v "$(go env CC)" >/dev/null; then
	starts='^[[:space:]]+go (func|[a-zA-Z.]+\()|errgroup|\.Go\('
	# What the tests of cmd and docs start are processes: the detector does not see into them. Those that wait for an
	# emulator come first, beside the others.
	meets=$(git ls-files -co --exclude-standard -- 'client/*.go' 'pkg/*.go' | xargs grep -lE "$starts" | xargs -n1 dirname | sort -u | sed 's|^|./|')
	raced=$(go list ./pkg/timer/eventbridge ./pkg/queue/sqs $meets | grep -xF "$all")
	rest=$(echo "$all" | grep -vxF "$raced")
else
	echo "no C compiler here: tests run without the race detector"
	raced= rest=$all
fi

# The deployed stack's tests are long and mostly wait, so all run side by side. They have AWS's limits of time, as has
# the emulator: what computes leaves the processor to them.
logs=$(mktemp -d) failed=0
trap 'rm -rf "$logs"' EXIT
run 0 0 ./deploy >"$logs/deploy" 2>&1 &
deploy=$!
run 10 0 $rest >"$logs/rest" 2>&1 &
rest=$!
if [ -n "$raced" ]; then
	# SQLite, which is C made Go, spends most of a test's time; it is not ours to look for races in.
	run 10 1 -race -gcflags=modernc.org/sqlite/lib=-race=false $raced || failed=1
	# These run on one stack at a time, and have a build tag that keeps them from the detector.
	run 10 0 ./pkg/intake ./pkg/delivery ./pkg/receipt -run 'NeverAccepted|RowsWithFaults|Overload|EveryInterleaving' || failed=1
fi
wait $rest || failed=1
wait $deploy || failed=1
cat "$logs/rest" "$logs/deploy"
run 0 0 ./pkg/sim -sim.seeds="$seeds" || failed=1
exit $failed
