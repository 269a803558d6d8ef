# The commands of the README, and no others: `make demo` and `make test` are all
# that a fresh machine needs, which must have Go, make and git.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

GO ?= go
# Tools have a module of their own, so that the product's holds only what the
# product needs.
TOOL := $(GO) tool -modfile=internal/tools/go.mod
# A module is built as its own go.mod says, whatever lies in folders above.
export GOWORK := off

# How long `make fuzz` spends on each target.
FUZZTIME ?= 30s
# What `go test` of the product is given; the real servers take their time.
TESTFLAGS ?= -timeout 40m

# What git sees of the work tree: nothing where this is no checkout.
worktree = { git diff HEAD; git status --porcelain; } 2>/dev/null || true

say = @printf '\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help demo dev build setup test lint fuzz bench clean

help: ## Show this list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-7s %s\n' "$$name" "$$text"; done

demo: setup build ## Show the main job on real servers, from letter to confirmed transfer. AUTO=1 approves by itself.
	@exec bin/fileroom demo $(if $(filter-out 0 no false,$(AUTO)),--auto)

dev: setup build ## Start the servers of the demonstration with a worker, and keep them running.
	@exec bin/fileroom dev

setup: ## Install what the servers and the reading need, if it is missing.
	@scripts/setup

build: ## Build bin/fileroom.
	$(call say,Building bin/fileroom)
	@$(GO) build -buildvcs=false -o bin/fileroom ./cmd/fileroom

test: setup ## Check everything: linters, all tests on real servers, and that no test changed a file.
	@mkdir -p bin && { $(worktree); } >bin/worktree.before
	@$(MAKE) lint build
	$(call say,Building the Temporal development server: up to ten minutes the first time and a moment afterwards)
	@bin/fileroom dev --build-only
	$(call say,Testing the product on the real servers)
	@race=-race; echo '#include <stdlib.h>' | $$($(GO) env CC) -E - >/dev/null 2>&1 || { race=; echo "There is no C compiler, so races are not looked for: install gcc and libc6-dev."; }; \
		$(GO) test $$race -shuffle=on $(TESTFLAGS) $$($(GO) list ./... | grep -v '/integration$$'); \
		echo "The whole, which wants the machine for itself: servers, workers and browsers."; \
		$(GO) test $$race -shuffle=on $(TESTFLAGS) ./integration
	$(call say,Testing the module of the Temporal development server)
# -trimpath as in its build, and no vet: else all of Temporal would be compiled, or looked at, again.
	@cd devtools/temporal && $(GO) test -vet=off -trimpath ./...
	$(call say,Testing the module of the tools: docker-compose.yml and Dockerfile)
# -count=1: what they look at is outside of their module, where the cache of results does not see changes.
	@cd internal/tools && $(GO) vet ./... && $(GO) test -count=1 ./...
	$(call say,Checking that no test changed a file of the project)
	@{ $(worktree); } | diff bin/worktree.before - || { echo "The tests changed files: see git diff."; exit 1; }

lint: ## Check the sources: go.mod, go vet, golangci-lint, workflowcheck.
	$(call say,Checking go.mod)
	@$(GO) mod tidy -diff
	$(call say,Running go vet)
	@$(GO) vet ./...
	$(call say,Running golangci-lint: its first build takes some minutes)
	@$(TOOL) golangci-lint run
	$(call say,Checking that workflows are deterministic)
# Its full output explains each finding over pages: the first line of each is enough here.
	@$(TOOL) workflowcheck -config internal/tools/workflowcheck.yml ./workflows/... 2>&1 | { grep -v '^[[:space:]]' || true; }

fuzz: ## Run every fuzz target for FUZZTIME (30s).
	$(call say,Fuzzing each target for $(FUZZTIME))
	@$(GO) test -list '^Fuzz' ./... | awk '/^Fuzz/ {f[n++] = $$1} /^ok/ {for (i = 0; i < n; i++) print $$2, f[i]; n = 0}' | \
		while read -r package target; do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
		done

bench: ## Run every benchmark.
	$(call say,Running the benchmarks)
	@$(GO) test -run '^$$' -bench . -benchmem ./...

clean: ## Remove what was built, and the data of the demonstration.
	@for file in .fileroom/dev.json .fileroom/demo/dev.json; do \
		! [ -e "$$file" ] || { echo "Its servers are running, or were killed: stop them, or remove $$file."; exit 1; }; \
	done
	rm -rf bin .fileroom
