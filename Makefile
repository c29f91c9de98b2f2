# make run    train on the built-in data, write an executed notebook and HTML to out/
# make test   install what the tests need and run all of them
# make release VERSION=v0.1.0   archives for all platforms, with checksums, in out/release
# make fuzz   every fuzzer for FUZZTIME (30s) each
# make slurm  a private Slurm cluster whose nodes, controller and trials are killed
# make packaging  builds the images and uses them (Docker of Debian, root)
# make fresh  the README's commands on a pristine Debian (root); CHEST_FRESH=full for its tests, too
# make bench  chest beside PyTorch and OpenBLAS: steps, products, retrieval, in one run
# make twin   the same training in chest and PyTorch, on Omniglot (CHEST_DATA)
# make bench-go        benchmarks of packages
# make bench-kernel    chest beside the kernels that are installed, in one run
# make peers    one notebook under chest, gophernotes and ipykernel
.PHONY: run build release test check fuzz slurm packaging fresh bench twin bench-go bench-kernel peers fmt generate

GO ?= go
FUZZTIME ?= 30s

run:
	$(GO) run ./cmd/chest run notebooks/01_quickstart.ipynb -o out/01_quickstart.ipynb --html out/01_quickstart.html

build:
	$(GO) build -trimpath -o bin/chest ./cmd/chest

release:
	$(GO) run ./cmd/release -version "$(VERSION)"

test:
	sh tests/install.sh
	$(MAKE) check
	$(GO) test -timeout 60m ./...
	for level in $$($(GO) run ./tests/levels); do CHEST_CPU=$$level $(GO) test -count=1 $$($(GO) list ./chestlib/... | grep -v engine/cuda) || exit 1; done
	$(GO) test -race ./kernel/... ./internal/parallel ./internal/sgemm ./chestlib/engine ./chestlib/train ./chestlib/sweep

check:
	sh tests/check.sh

fuzz:
	FUZZTIME=$(FUZZTIME) sh tests/fuzz.sh

slurm:
	CHEST_SLURM=1 sh tests/install.sh
	CHEST_SLURM=1 CHEST_FULL=1 $(GO) test ./tests -run '^TestSlurm$$' -count=1 -v

packaging:
	CHEST_PACKAGING=1 sh tests/install.sh
	CHEST_PACKAGING=1 CHEST_FULL=1 $(GO) test ./tests -run '^(TestPackaging|TestDockerfiles)$$' -count=1 -v -timeout 60m

fresh: CHEST_FRESH ?= 1
fresh:
	CHEST_PACKAGING=1 sh tests/install.sh
	CHEST_FRESH=$(CHEST_FRESH) CHEST_FULL=1 $(GO) test ./tests -run '^TestFresh$$' -count=1 -v -timeout 240m

bench: build
	sh tests/bench/install.sh
	$(GO) run ./tests/bench

twin:
	sh tests/bench/install.sh
	$(GO) run ./tests/twin

bench-go:
	$(GO) test -run '^$$' -bench . -benchmem ./chestlib/... ./datasets/... ./internal/...

bench-kernel: build
	$(GO) run ./tests/benchkernel -chest bin/chest

peers: build
	cd tests/peers/gophernotes && $(GO) build -o ../../../bin/gophernotes github.com/gopherdata/gophernotes || echo "peers: gophernotes does not build here" >&2
	$(GO) run ./tests/peers -chest bin/chest -gophernotes bin/gophernotes

fmt:
	gofmt -w cmd chestlib datasets internal kernel tests viz

generate:
	$(GO) generate ./...
