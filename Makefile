# Everything is done through these targets, here and in CI. Go is enough for all but what says otherwise.
.POSIX:

BIN     = bin
DIST    = dist
ARCH    = arm64
GOFLAGS_BUILD = -trimpath -ldflags "-s -w"
# What is linted, built and tested is compiled with the same flags, so that it is compiled once.
ONCE    = GOFLAGS="$$(go env GOFLAGS) -trimpath" CGO_ENABLED=0
# The tools have a go.mod of their own, so that they are not in the dependency list of who imports us.
TOOL    = go tool -modfile=tools/go.mod
PKG     = ./...
CONSOLE = tools/console.sh || echo "console: it could not be built, so what was built before, or a placeholder, is served"
ARGS    =
SEEDS   = 20000
SEED    = 0
AFTER   = 0
CALM    = 20
PAIRS   = 0
PARTS   = 0
TRIALS  = 10000
# Deploying needs the SAM CLI: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html
ENV     = dev
SAM     = sam
CONFIRM =
GUARD   = 10

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

.PHONY: run
run: command ## Build and start everything on this machine, http://127.0.0.1:8080 (ARGS="…" are passed on)
	@exec $(BIN)/notify local $(ARGS)

.PHONY: command
command: $(BIN) ## Build the command into bin/
	@$(CONSOLE)
	@CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o $(BIN)/notify ./cmd/notify

.PHONY: console
console: ## Build the console (needs Node.js; everything else works without)
	@tools/console.sh

.PHONY: build
build: command ## Build the command, and the Lambdas into dist/<function>/bootstrap (ARCH=arm64 or amd64)
	@set -e; for main in functions/*/main.go; do \
		name=$$(basename "$$(dirname "$$main")"); echo "build $(DIST)/$$name/bootstrap"; \
		CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -tags lambda.norpc $(GOFLAGS_BUILD) -o "$(DIST)/$$name/bootstrap" "./functions/$$name"; \
	done

.PHONY: test
test: lint $(BIN) ## Lint, then every test, with the emulators that it installs and starts itself
	@$(ONCE) go build -o $(BIN)/emulators ./deploy/emulators/run
	@tools/browser.sh ready
	@$(BIN)/emulators tools/gotest.sh $(SEEDS)
	@tools/browser.sh

.PHONY: lint
lint: $(BIN) ## gofmt, go vet, staticcheck, govulncheck
	@unformatted=$$(git ls-files -co --exclude-standard -- '*.go' | while read -r f; do if [ -f "$$f" ]; then gofmt -l "$$f"; fi; done); \
	if [ -n "$$unformatted" ]; then echo "run make fmt: not formatted:" $$unformatted; exit 1; fi
	@$(ONCE) go vet $(PKG)
	@$(ONCE) $(TOOL) staticcheck $(PKG)
	@$(ONCE) go build -modfile=tools/go.mod -o $(BIN)/govulncheck golang.org/x/vuln/cmd/govulncheck
	@tools/govulncheck.sh $(BIN)/govulncheck $(PKG)

.PHONY: fmt
fmt: ## Format the Go files
	@git ls-files -co --exclude-standard -- '*.go' | while read -r f; do if [ -f "$$f" ]; then gofmt -w "$$f"; fi; done

.PHONY: gen
gen: ## Write again what is generated
	go generate $(PKG)

.PHONY: verify
verify: gen ## Fail if something generated, or go.mod, is not up to date
	go mod tidy -diff
	go mod verify
	git diff --exit-code

.PHONY: browser
browser: $(BIN) ## Test the console in Chromium (PAGES=dlq,message: of the pictures those only; LOOKS=all: each language in each theme)
	@tools/browser.sh

.PHONY: sim
sim: ## Live through SEEDS=20000 histories of the virtual world, those behind the seed AFTER=0, or through SEED=… and print it (CALM=20, PAIRS=0: peaceful ones that meet accidents; PARTS=1: with schedules, see docs/reliability.md)
	@tests='Histories|EveryCall|EveryPair'; [ $(SEED) = 0 ] || tests=Histories; set -x; \
	go test ./pkg/sim -count=1 -v -timeout 0 -run "$$tests" -sim.seeds=$(SEEDS) -sim.after=$(AFTER) -sim.seed=$(SEED) -sim.calm=$(CALM) -sim.pairs=$(PAIRS) -sim.parts=$(PARTS)

.PHONY: kill
kill: ## Kill notify local TRIALS=10000 times under load, and look for what it lost or sent twice
	go test ./cmd/notify -count=1 -v -timeout 0 -parallel 2 -run 'Local/kill' -kill.trials=$(TRIALS)

.PHONY: bench
bench: $(BIN) ## Measure notify beside the bound of this machine, then the cold starts (ARGS="…" for the first)
	@go build -o $(BIN)/bench ./bench
	@$(BIN)/bench $(ARGS)
	@go run ./bench/cold

.PHONY: microbench
microbench: ## Run the benchmarks of the packages
	go test -run '^$$' -bench . -benchmem -p 1 $(PKG)

.PHONY: emulator
emulator: $(BIN) ## Start MiniStack (AWS on this machine; needs Python) and print how to use it
	@CGO_ENABLED=0 go build -o $(BIN)/emulators ./deploy/emulators/run
	@exec $(BIN)/emulators

.PHONY: validate
validate: ## Check the templates with the SAM CLI and cfn-lint
	@for template in template.yaml deploy/*.yaml; do $(SAM) validate --lint --template "$$template" || exit 1; done

.PHONY: deploy
deploy: ## Build and deploy to AWS (ENV=dev, staging or prod: see samconfig.toml and docs/deploy.md)
	@$(CONSOLE)
	@set -e; arch=arm64; if sed -n '/^\[$(ENV).deploy/,/^\[/p' samconfig.toml | grep -q Architecture=x86_64; then arch=amd64; fi; \
	[ $(ARCH) = arm64 ] || [ $(ARCH) = $$arch ] || { echo "ARCH=$(ARCH): functions are built for what samconfig.toml says, and its parameter_overrides have no Architecture=x86_64"; exit 1; }; \
	set -x; ARCH=$$arch $(SAM) build --config-env $(ENV)
	$(SAM) deploy --config-env $(ENV) $(CONFIRM)

.PHONY: guard
guard: ## Once a stack is deployed: have its pages roll later deployments back (ENV=dev; GUARD=off takes that back; needs the AWS CLI)
	@tools/guard.sh "$$(sed -n '/^\[$(ENV).global/,/^\[/s/^stack_name = "\(.*\)"/\1/p' samconfig.toml)" $(GUARD)

.PHONY: outputs
outputs: ## What a deployed stack is called and where it is (ENV=dev)
	$(SAM) list stack-outputs --config-env $(ENV)

.PHONY: logs
logs: ## Follow the log of all functions of a deployed stack (ENV=dev)
	$(SAM) logs --config-env $(ENV) --tail

.PHONY: delete
delete: ## Delete a deployed stack; its table, key and bucket stay (ENV=dev)
	$(SAM) delete --config-env $(ENV)

# In a second shell, with what `make emulator` printed.
.PHONY: deploy-local
deploy-local: ## Build and deploy into the emulator that AWS_ENDPOINT_URL points to
	@if [ -z "$$AWS_ENDPOINT_URL" ]; then echo "AWS_ENDPOINT_URL is not set: start an emulator with make emulator, and export what it prints"; exit 1; fi
	@$(CONSOLE)
	arch=$$(go env GOHOSTARCH); ARCH=$$arch $(SAM) build --config-env dev && \
	$(SAM) deploy --config-env dev --stack-name notify-local --parameter-overrides Stage=dev Alarms=off Reach=127.0.0.0/8 Allow="'*'" UrgentConcurrency=0 NormalConcurrency=0 BulkConcurrency=0 \
		Architecture=$$(echo $$arch | sed s/amd64/x86_64/)

.PHONY: clean
clean: ## Remove what was built (the emulators stay in .cache)
	rm -rf $(BIN) $(DIST) .aws-sam coverage.out

$(BIN):
	@mkdir -p $(BIN)
