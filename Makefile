# The project's commands. `make demo` and `make test` are the two that matter; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO ?= cargo
TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)

VERSION = $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
REVISION = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
# The age of everything in the image, so that the same commit makes the same image.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
IMAGE ?= localhost/tokensource:$(VERSION)
IMAGE_TAR = $(TARGET_DIR)/tokensource-image.tar
# The first that works here; testenv writes the same image without any of them.
IMAGE_BUILDER ?= $(shell for tool in buildah podman docker; do if $$tool info >/dev/null 2>&1; then echo $$tool; exit; fi; done; echo testenv)
# Mozilla's certificates as the distribution packs them: not the build machine's own trust, which may know a company's proxy.
CA_CERTIFICATES ?= /usr/share/ca-certificates/mozilla/*.crt
# What the Dockerfile copies.
CONTEXT = $(TARGET_DIR)/image
BINARY_MAX = 20971520
MSRV = $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
HOST = $(shell $(CARGO) -vV | sed -n 's/^host: //p')

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

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
	$(CARGO) test --test corpus --test layering --test generated --test observability --test kstatus --test chart_files --test cli \
	  --test fuzzed --test dependencies --test simulation

# One of them again, step by step: SIMULATION_SEED=4711 make simulate
.PHONY: simulate
simulate: ## Drive the operator through 10,000 days of simulated faults (a few minutes; the first build takes longer)
	$(CARGO) test --quiet --profile simulation --test simulation -- $(if $(SIMULATION_SEED),replay --seed $(SIMULATION_SEED),run --seeds $(or $(SIMULATION_SEEDS),10000))

.PHONY: mutations
export MUTATIONS MUTATION_SEEDS
mutations: ## See which faults the simulation notices when they are built into the operator (ten minutes)
	tests/simulation/mutations.sh

.PHONY: capacity
capacity: ## Reckon how many of 100,000 sources a limited token endpoint keeps alive, and what a second shard gives
	$(CARGO) test --quiet --profile simulation --test simulation -- capacity

.PHONY: e2e as-root
as-root:
	@[ "$$(id -u)" -eq 0 ] || { echo "a node works as root only" >&2; exit 1; }
e2e: as-root image ## Install image and chart on a real node, and see that a workload is never refused (root; about 5 minutes)
	$(CARGO) test --no-run --test e2e
	TOKENSOURCE_IMAGE=$(IMAGE) TOKENSOURCE_IMAGE_TAR=$(abspath $(IMAGE_TAR)) \
	  $(CARGO) run --quiet -p testenv -- run --with node,keycloak,helm -- $(CARGO) test --quiet --test e2e -- --nocapture

BENCH = $(CARGO) run --quiet -p testenv -- run --with control-plane -- $(CARGO) bench --quiet --bench scale --
BENCH_SOURCES ?= 1000,10000
BENCH_SECONDS ?= 900

.PHONY: bench bench-limited
bench: ## Measure how the operator scales, as shares of what the API server takes (BENCH_SOURCES=1000,10000; about 25 minutes)
	$(CARGO) bench --bench scale --no-run
	$(BENCH) --sources $(BENCH_SOURCES)
	$(BENCH) --part shared --sources 1000
	$(BENCH) --part spread --sources 1000
bench-limited: ## Measure which share of 10,000 sources lives at an endpoint limited to 1,000 requests a minute (BENCH_SECONDS=900)
	$(CARGO) bench --bench scale --no-run
	$(BENCH) --part limited --sources 10000 --seconds $(BENCH_SECONDS)

# The seed of a run that failed repeats it: make chaos CHAOS_SEED=…
.PHONY: chaos chaos-short soak
export CHAOS_SEED CHAOS_SECONDS SOAK_SECONDS SOAK_SOURCES SOAK_TOKEN_SECONDS
CHAOS_TEST = $(CARGO) test --quiet --test chaos -- --ignored --nocapture --exact
chaos: ## Fault runs on a real control plane, ten minutes (CHAOS_SEED, CHAOS_SECONDS); needs libfaketime
	$(CARGO) test --quiet --test chaos
	$(CHAOS_TEST) the_invariants_hold_under_faults
chaos-short: CHAOS_SECONDS = 210
chaos-short: chaos ## Some of the faults in three minutes, as CI runs them
soak: ## 2,000 sources with tokens of 60 s for half an hour (SOAK_SOURCES, SOAK_TOKEN_SECONDS, SOAK_SECONDS)
	$(CARGO) build --release --bin tokensource
	$(CARGO) test --no-run --test chaos
	CHAOS_OPERATOR=$(abspath $(TARGET_DIR))/release/tokensource $(CHAOS_TEST) memory_stays_flat_and_tokens_stay_valid_for_long

.PHONY: lint
lint: ## Check formatting, lints, docs and (where cargo-deny is installed) licences, bans and sources; needs no network
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --features otlp -- -D warnings
	$(CARGO) clippy --test e2e --test chaos -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet
	git apply --check tests/simulation/mutations.patch
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny --locked --offline --target $(HOST) check licenses bans sources; \
	  else echo "cargo-deny is not installed, so licences, bans and sources were not checked: cargo install --locked cargo-deny"; fi

# What changes without us: an advisory can come any day, so `make lint` does not depend on it. DENY_FLAGS=--offline takes the
# database as it was fetched before, for 90 days.
.PHONY: audit
audit: ## Check the dependencies on all targets with cargo-deny, against the advisories of RustSec too (network)
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
	$(CARGO) deny --locked $(DENY_FLAGS) check

.PHONY: msrv
msrv: ## Build with the oldest Rust that Cargo.toml promises, where it is installed, and check what dependencies promise
	$(CARGO) test --quiet --test dependencies rust
	@if rustup run $(MSRV) rustc --version 2>/dev/null; then $(CARGO) +$(MSRV) check --locked --workspace --all-targets; \
	  else echo "Rust $(MSRV) is not installed, so nothing was built with it: rustup toolchain install $(MSRV) --profile minimal"; fi

# A hang is more than 5 seconds, too much memory more than 1 GiB in all or 256 MiB at once. What is found stays in fuzz/artifacts.
FUZZ_SECONDS ?= 60
FUZZ_FLAGS = -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=256 -print_final_stats=1
.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZ_SECONDS (60), on a nightly toolchain with cargo-fuzz
	@command -v cargo-fuzz >/dev/null || { echo "cargo-fuzz is missing: cargo install --locked cargo-fuzz" >&2; exit 1; }
	@rustup run nightly rustc --version || { echo "nightly Rust is missing: rustup toolchain install nightly --profile minimal" >&2; exit 1; }
	cp Cargo.lock fuzz/Cargo.lock
	FUZZ_CORPUS=$(CURDIR)/fuzz/corpus $(CARGO) test --quiet --test fuzzed every_question_has_seeds
	$(CARGO) +nightly fuzz build
	@failed=; for target in $$($(CARGO) +nightly fuzz list); do \
	    $(CARGO) +nightly fuzz run $$target -- $(FUZZ_FLAGS) || failed="$$failed $$target"; done; \
	  if [ -n "$$failed" ]; then echo "something was found, see fuzz/artifacts:$$failed" >&2; exit 1; fi

# Linked statically, so that it runs in an empty image. Without the remapped paths, panic messages hold the builder's folders.
.PHONY: binary
binary: export RUSTFLAGS = -C target-feature=+crt-static --remap-path-prefix=$(CURDIR)=/tokensource --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo
binary: ## Build the static binary for the image
	$(CARGO) build --release --locked --target $(HOST) --bin tokensource
	mkdir -p $(CONTEXT)
	cp $(TARGET_DIR)/$(HOST)/release/tokensource $(CONTEXT)/tokensource
	@if readelf -l $(CONTEXT)/tokensource | grep -q INTERP; then echo "the binary is not static" >&2; exit 1; fi
	@size=$$(stat -c %s $(CONTEXT)/tokensource); echo "$(CONTEXT)/tokensource: $$size bytes"; \
	  if [ $$size -gt $(BINARY_MAX) ]; then echo "the binary is larger than $(BINARY_MAX) bytes" >&2; exit 1; fi

.PHONY: image
image: binary ## Build the image, as an archive for `docker load` and its like
	cat $(CA_CERTIFICATES) > $(CONTEXT)/ca-certificates.crt
	rm -f $(IMAGE_TAR)
	$(MAKE) --no-print-directory image-by-$(IMAGE_BUILDER)
	@echo "$(IMAGE_TAR): $(IMAGE), by $(IMAGE_BUILDER)"

IMAGE_ARGUMENTS = --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) --tag $(IMAGE) --file Dockerfile

.PHONY: image-by-buildah image-by-podman image-by-docker image-by-testenv
image-by-buildah:
	buildah build --timestamp $(SOURCE_DATE_EPOCH) $(IMAGE_ARGUMENTS) $(CONTEXT)
	buildah push $(IMAGE) docker-archive:$(IMAGE_TAR):$(IMAGE)
image-by-podman:
	podman build --timestamp $(SOURCE_DATE_EPOCH) $(IMAGE_ARGUMENTS) $(CONTEXT)
	podman save --format docker-archive --output $(IMAGE_TAR) $(IMAGE)
image-by-docker:
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) docker build $(IMAGE_ARGUMENTS) $(CONTEXT)
	docker save --output $(IMAGE_TAR) $(IMAGE)
image-by-testenv:
	$(CARGO) run --quiet -p testenv -- image --timestamp $(SOURCE_DATE_EPOCH) $(IMAGE_ARGUMENTS) --output $(IMAGE_TAR) $(CONTEXT)

.PHONY: sbom
sbom: ## Write what the binary is made of, as CycloneDX JSON
	$(CARGO) tree --locked --package tokensource --edges normal,no-proc-macro --target $(HOST) --prefix none --format '{p}|{l}' \
	  | $(CARGO) run --quiet -p testenv -- sbom --timestamp $(SOURCE_DATE_EPOCH) --output $(TARGET_DIR)/tokensource.cdx.json \
	    --further rust-std=$$(rustc --version | cut -d' ' -f2) --further glibc=$$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)

.PHONY: generate
generate: ## Make the generated files anew: crds/, docs/{failures,reference,dependencies}.md, the chart's CRD and README
	$(CARGO) run --quiet --bin tokensource -- crd > crds/tokensources.tokensource.dev.yaml.new
	mv crds/tokensources.tokensource.dev.yaml.new crds/tokensources.tokensource.dev.yaml
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test generated the_page_of
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test kstatus the_objects_for
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test chart_files
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test dependencies the_page_of

.PHONY: clean
clean: ## Remove what was built here (the cache of the test world stays)
	$(CARGO) clean
