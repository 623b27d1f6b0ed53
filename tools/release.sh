#!/bin/sh
# Builds what a release has into release/: the command for each platform, the functions, and SHA256SUMS. The same sources
# and the same Go make the same bytes.
#   tools/release.sh v1.2.3
set -eu
cd "$(dirname "$0")/.."
version=${1:?say which version, as v1.2.3}
out=${RELEASE:-release}
rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
tools/console.sh
for platform in ${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}; do
	os=${platform%/*} arch=${platform#*/} suffix=
	[ "$os" != windows ] || suffix=.exe
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags "-s -w" -o "$out/notify-$version-$os-$arch$suffix" ./cmd/notify
done
for arch in ${ARCHS:-arm64 amd64}; do
	for main in functions/*/main.go; do
		name=$(basename "$(dirname "$main")")
		dir=$(mktemp -d)
		CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -tags lambda.norpc -trimpath -ldflags "-s -w" -o "$dir/bootstrap" "./functions/$name"
		touch -t 202001010000 "$dir/bootstrap" # so that the same bytes make the same file
		(cd "$dir" && zip -qX "$out/notify-$version-$name-$arch.zip" bootstrap)
		rm -r "$dir"
	done
done
(cd "$out" && sha256sum -- * >SHA256SUMS)
cat "$out/SHA256SUMS"
