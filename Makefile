# The project's commands. `make demo` and `make test` are the two that matter; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO ?= cargo
TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## See it work: a local control plane, a real authorization server, three TokenSources (ends by itself)
	$(CARGO) build --quiet --bin tokensource
	$(CARGO) build --quiet -p testenv
	$(CARGO) run --quiet -p testenv -- run --with control-plane,keycloak -- testenv/demo.sh $(TARGET_DIR)/debug/tokensource

.PHONY: test
test: ## Run every test, on a real kube-apiserver, Keycloak and UAA
	$(CARGO) test --workspace --no-run
	$(CARGO) run --quiet -p testenv -- run -- $(CARGO) test --workspace
	$(CARGO) test --lib --features otlp otlp::
	cd testenv/gitops && CGO_ENABLED=0 go test ./...

.PHONY: test-unit
test-unit: ## Run the tests that need no control plane
	$(CARGO) test --workspace --lib --bins
	$(CARGO) test --test corpus --test layering --test generated --test observability --test kstatus --test chart_files --test cli

.PHONY: lint
lint: ## Check formatting, lints, docs and (where cargo-deny is installed) licences and advisories
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --features otlp -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny check; else echo "cargo-deny is not installed: licences and advisories were not checked"; fi

.PHONY: generate
generate: ## Make the generated files anew: crds/, docs/failures.md, docs/reference.md, the chart's CRD and README
	$(CARGO) run --quiet --bin tokensource -- crd > crds/tokensources.tokensource.dev.yaml.new
	mv crds/tokensources.tokensource.dev.yaml.new crds/tokensources.tokensource.dev.yaml
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test generated the_page_of
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test kstatus the_objects_for
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test chart_files

.PHONY: clean
clean: ## Remove what was built here (the cache of the test world stays)
	$(CARGO) clean
