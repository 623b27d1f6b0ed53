#!/usr/bin/env bash
# Deploys a stack with a REST API into the emulator at AWS_ENDPOINT_URL, and tells it and one machine the story of
# testdata/scenario.yaml: their records must be the same. The first argument is the address at which the emulator's
# functions reach this machine: 127.0.0.1 where they are processes (MiniStack), the bridge's where they are
# containers (LocalStack: 172.17.0.1).
set -euo pipefail
cd "$(dirname "$0")/.."
: "${AWS_ENDPOINT_URL:?is not set: start an emulator, and export where it is}"
export AWS_REGION="${AWS_REGION:-us-east-1}" SAM_CLI_TELEMETRY=0
host=${1:-127.0.0.1}
stack=${STACK:-notify-scenario}
sam=${SAM:-sam}
arch=$(go env GOHOSTARCH)

ARCH=$arch "$sam" build --parallel
"$sam" deploy --stack-name "$stack" --resolve-s3 --no-confirm-changeset --no-progressbar --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND \
	--parameter-overrides Stage=dev ApiType=rest Alarms=off Sms=off "Allow='*'" "Reach=$host/32" \
	UrgentConcurrency=0 NormalConcurrency=0 BulkConcurrency=0 "Architecture=${arch/amd64/x86_64}"

CGO_ENABLED=0 go build -o bin/notify ./cmd/notify
NOTIFY_KEY=$(bin/notify bootstrap --json --stack "$stack" --tenant shop --owner "Wang Li <wang.li@example.com>" | python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])')
export NOTIFY_KEY
api=$("$sam" list stack-outputs --stack-name "$stack" --output json | python3 -c 'import json, sys; print(next(o["OutputValue"] for o in json.load(sys.stdin) if o["OutputKey"] == "ApiId"))')
go test ./deploy -count=1 -v -run '^TestDeployed$' -stack.url "$AWS_ENDPOINT_URL/restapis/$api/live/_user_request_" -stack.reach "$host"
