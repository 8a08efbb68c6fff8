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
	$(CARGO) test --test corpus --test layering --test generated --test observability --test kstatus --test chart_files --test cli --test simulation

# One of them again, step by step: SIMULATION_SEED=4711 make simulate
.PHONY: simulate
simulate: ## Drive the operator through 10,000 days of simulated faults (a few minutes; the first build takes longer)
	$(CARGO) test --quiet --profile simulation --test simulation -- $(if $(SIMULATION_SEED),replay --seed $(SIMULATION_SEED),run --seeds $(or $(SIMULATION_SEEDS),10000))

.PHONY: e2e as-root
as-root:
	@[ "$$(id -u)" -eq 0 ] || { echo "a node works as root only" >&2; exit 1; }
e2e: as-root image ## Install image and chart on a real node, and see that a workload is never refused (root; about 5 minutes)
	$(CARGO) test --no-run --test e2e
	TOKENSOURCE_IMAGE=$(IMAGE) TOKENSOURCE_IMAGE_TAR=$(abspath $(IMAGE_TAR)) \
	  $(CARGO) run --quiet -p testenv -- run --with node,keycloak,helm -- $(CARGO) test --quiet --test e2e -- --nocapture

.PHONY: lint
lint: ## Check formatting, lints, docs and (where cargo-deny is installed) licences and advisories
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --features otlp -- -D warnings
	$(CARGO) clippy --test e2e -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny check; else echo "cargo-deny is not installed: licences and advisories were not checked"; fi

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
generate: ## Make the generated files anew: crds/, docs/failures.md, docs/reference.md, the chart's CRD and README
	$(CARGO) run --quiet --bin tokensource -- crd > crds/tokensources.tokensource.dev.yaml.new
	mv crds/tokensources.tokensource.dev.yaml.new crds/tokensources.tokensource.dev.yaml
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test generated the_page_of
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test kstatus the_objects_for
	UPDATE_GENERATED=1 $(CARGO) test --quiet --test chart_files

.PHONY: clean
clean: ## Remove what was built here (the cache of the test world stays)
	$(CARGO) clean
