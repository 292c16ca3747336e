# Habeas. `make demo` shows it; `make test` is what has to be green before a change is offered.

GO       ?= go
LINT_VER := v2.15.0
GOBIN    := $(shell $(GO) env GOBIN)
ifeq ($(GOBIN),)
GOBIN    := $(shell $(GO) env GOPATH)/bin
endif
LINT     := $(shell command -v golangci-lint 2>/dev/null || echo $(GOBIN)/golangci-lint)

# The race detector watches our code and the driver; inside SQLite itself, which is C turned into Go and locks for
# itself, it only makes everything slow.
RACE     := -race '-gcflags=modernc.org/sqlite/lib=-race=0 -d=checkptr=0'

.PHONY: demo build test soak bench lint services

demo: ## the main job on this machine, from form to deleted rows; nothing but Go is needed
	$(GO) run ./cmd/habeas demo

build: ## one static binary at bin/habeas
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/habeas ./cmd/habeas

services: ## PostgreSQL, MariaDB, Redis and a browser: found, started or installed
	@bash deploy/test/services.sh

# The whole program is run from end to end as it will run, without the race detector; its parts are watched by it, and
# `make soak` watches everything.
WHOLE    := ./internal/app/... ./cmd/...
PARTS     = $(shell $(GO) list ./... | grep -v -e '/internal/app$$' -e '/internal/app/' -e '/cmd/')

test: services ## everything, against real services
	$(GO) vet ./...
	$(GO) test $(RACE) -timeout 20m $(PARTS)
	$(GO) test -timeout 20m $(WHOLE)

soak: services ## the long runs: kills, restarts and big data, for an hour or two
	HABEAS_SOAK=1 $(GO) test $(RACE) -timeout 150m -count=1 ./...

SIZE     ?= tenth

bench: services ## the measured limits against baselines of the same run; SIZE=full takes about 20 minutes
	$(GO) run ./deploy/bench -size $(SIZE)

lint: $(LINT) ## the style that a machine can hold
	$(LINT) run ./...

$(GOBIN)/golangci-lint:
	$(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VER)
