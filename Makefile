# pinstat: statistics of ftrace function-graph durations.
#
#   make demo     set up what is missing, build, run the main job on real traces
#   make test     set up what is missing, build without warnings, lint, run every test
#   make fuzz TIME=60   build the fuzz targets with the address sanitizer, run each for so many seconds
#   make bench    measure against other readers, on traces of 380 MB (SIZES=64M for less)
#   make bench-fleet    files a second, against trace-cmd report in the same job
#   make lab      measure two kernels in QEMU, compare them: BEFORE=6.17 AFTER=6.18 (Fixtures/lab/README.md)
#   make docs     the modules' documentation, into .build/docs
#   make install PREFIX=/usr/local    the program, its manual pages and shell completions
#   make static   the program without shared libraries, for an initramfs: .build-static/pinstat
#
# Both set-up steps say what they install before they do (apt, with sudo when not root).

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
# address or thread; empty for none.
SANITIZE ?=
SHELL = /bin/bash

# What the Swift toolchain itself runs with (swift.org's list for Debian 12, less what it needs for lldb).
TOOLCHAIN_PACKAGES = git ca-certificates binutils gcc libstdc++-12-dev libcurl4 libedit2 libncurses6 libsqlite3-0 \
  libxml2 tzdata
BUILD_PACKAGES = $(TOOLCHAIN_PACKAGES) libtraceevent-dev libtracefs-dev zlib1g-dev libzstd-dev pkg-config
LINT_PACKAGES = shellcheck
# The tests' oracles: another reader of trace.dat, another CSV, JSON and XML parser; a browser; a validator of XML;
# and what reads manual pages, completions and YAML.
TEST_PACKAGES = $(BUILD_PACKAGES) $(LINT_PACKAGES) trace-cmd python3 python3-yaml chromium fonts-dejavu-core libxml2-utils \
  man-db mandoc make bash zsh fish
# For the fleet's test: Spark runs on a JVM. (The virtual environment takes requirements.txt from PyPI.)
FLEET_PACKAGES = trace-cmd python3-venv openjdk-17-jre-headless
BENCH_PACKAGES = $(BUILD_PACKAGES) libtracecmd-dev trace-cmd ripgrep mawk gcc libc6-dev python3
# A machine, what runs in it, and what takes Debian's packages and kernel modules apart.
LAB_PACKAGES = qemu-system-x86 seabios busybox-static trace-cmd cpio xz-utils zstd kmod binutils gcc libc6-dev \
  debian-archive-keyring
# Of the uncompressed trace.dat; several for the growth of time and memory: SIZES=380M,1G.
bench: SIZES ?= 380M
bench bench-fleet: RUNS ?= 5

# lld, which the toolchain brings, links the static Foundation without a warning about its mktemp. The 45,000 places that
# the loader has to adjust are packed (glibc 2.36 and later), no symbols are exported, and the libraries that Debian has as
# archives are linked in, among them the C++ library, which the Swift runtime needs: a short run notices each of them.
# None is looked for beside the program, which would be thirteen files that are not there.
# SHARED=1 leaves them to the loader, all but the C++ library: an update of zlib or zstd is taken up without a build then.
ifneq ($(SHARED),1)
LINKED_IN = libtraceevent libtracefs libzstd libz
endif
# A folder with the archives alone: where the shared libraries lie too, those are taken. pkg-config's files lead there.
ARCHIVES = $(CURDIR)/.build/archives$(SHARED)
# What Swift's libraries say of their types, protocols and conformances stands together in the program, a kind behind the
# other: the runtime looks through the conformances some 60 times a run, mostly before a trace is opened.
DESCRIPTORS = $(ARCHIVES)/descriptors
RELEASE_FLAGS = -c release --static-swift-stdlib --disable-local-rpath --toolset .swift-toolset.json -Xswiftc -L$(ARCHIVES) \
  -Xlinker --symbol-ordering-file=$(DESCRIPTORS) -Xlinker --no-warn-symbol-ordering
RELEASE_BUILD = PKG_CONFIG_PATH="$(ARCHIVES)$${PKG_CONFIG_PATH:+:$$PKG_CONFIG_PATH}" $(SWIFT) build $(RELEASE_FLAGS)
ifneq ($(SANITIZE),)
TEST_FLAGS = --sanitize=$(SANITIZE) --scratch-path .build-$(SANITIZE)
endif
# The parsers' tests run with the address sanitizer too, whatever SANITIZE says.
PARSER_FLAGS = --sanitize=address --scratch-path .build-address
PARSER_TESTS = ^(TraceDatTests|TraceTextTests|FunctionGraphTests)\.
export LSAN_OPTIONS = suppressions=$(CURDIR)/Tests/leaks.supp:print_suppressions=0

.PHONY: help all build static demo test fuzz lint docs bench bench-smoke lab lab-smoke install install-files uninstall \
  clean setup-build setup-lint setup-test setup-bench setup-lab setup-fleet test-fleet bench-fleet

help:
	@sed -n 's/^#  \{0,1\}//p' Makefile | sed -n '1,11p'

all: build

build: setup-build $(ARCHIVES)/done $(DESCRIPTORS)
	$(RELEASE_BUILD) --product pinstat

# What there is no archive of stays shared.
$(ARCHIVES)/done: Makefile | setup-build
	@rm -rf $(@D) && mkdir -p $(@D); \
	for library in libstdc++ $(LINKED_IN); do \
	  settings="$$(pkg-config --variable=pcfiledir $$library 2>/dev/null)/$$library.pc"; \
	  archive="$$(pkg-config --variable=libdir $$library 2>/dev/null)/$$library.a"; \
	  case "$$settings" in /$$library.pc | /usr/lib/*) archive="$$(gcc -print-file-name=$$library.a)" ;; esac; \
	  [ -f "$$archive" ] || continue; \
	  ln -s "$$archive" $(@D)/; \
	  [ ! -f "$$settings" ] || sed 's#^libdir=.*#libdir=$(@D)#' "$$settings" > $(@D)/$$library.pc; \
	done; \
	touch $@

# By what their mangled names end in.
$(DESCRIPTORS): $(ARCHIVES)/done
	@libraries="$$($(SWIFT) -print-target-info | sed -n 's/.*"runtimeResourcePath": *"\(.*\)".*/\1_static/p')/linux"; \
	nm -pj --defined-only "$$libraries"/lib*.a > $@.all 2>/dev/null; \
	for kind in Mc Mn Mp; do grep "$$kind\$$" $@.all; done > $@.new; \
	rm $@.all; mv $@.new $@

# Everything in one file: what -dev packages bring as .a serves where there is nothing but a kernel.
static: setup-build $(ARCHIVES)/done $(DESCRIPTORS)
	$(RELEASE_BUILD) --product pinstat -Xswiftc -static-executable --scratch-path .build-static
	install -s -m 755 .build-static/release/pinstat .build-static/pinstat
	@echo "Made .build-static/pinstat."

demo: build
	@echo
	@PINSTAT="$$($(RELEASE_BUILD) --show-bin-path)/pinstat" bash Fixtures/demo.sh

# For all builds of a test run, so that none builds anew what another has built.
test: export PINSTAT_STRICT = 1

test: setup-test lint
	$(SWIFT) build --build-tests $(TEST_FLAGS)
	$(SWIFT) test --skip-build $(TEST_FLAGS)
ifeq ($(SANITIZE),)
	Scripts/docs "$$($(SWIFT) build --show-bin-path)" .build/docs
endif
	$(MAKE) --no-print-directory bench-smoke
ifeq ($(SANITIZE),)
	$(MAKE) --no-print-directory lab-smoke
	$(SWIFT) build --build-tests $(PARSER_FLAGS)
	$(SWIFT) test --skip-build $(PARSER_FLAGS) --filter '$(PARSER_TESTS)'
	PINSTAT_STRICT= Fuzz/run smoke
	$(MAKE) --no-print-directory test-fleet
endif

# A fleet through Spark, DuckDB and one process; Datadog's own DDSketch reads our sketches and writes some for us.
FLEET_VENV = .build-fleet/venv
FLEET_REQUIREMENTS = Examples/fleet/requirements.txt

test-fleet: setup-fleet
	$(SWIFT) build --product pinstat $(TEST_FLAGS)
	PINSTAT="$$($(SWIFT) build $(TEST_FLAGS) --show-bin-path)/pinstat" $(FLEET_VENV)/bin/python Examples/fleet/test_fleet.py

bench-fleet: build setup-fleet
	$(FLEET_VENV)/bin/python Examples/fleet/bench_fleet.py \
	  --pinstat "$$($(RELEASE_BUILD) --show-bin-path)/pinstat" --runs $(RUNS)

# Seconds that each fuzz target runs.
TIME ?= 60

fuzz: setup-build
	$(SWIFT) build --product pinstat
	Fuzz/run $(TIME)

lint: setup-lint
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources
	cd Fixtures/lab && shellcheck -x run smoke module && shellcheck -s sh guest/init guest/measure guest/smoke

docs: setup-build
	$(SWIFT) build
	Scripts/docs "$$($(SWIFT) build --show-bin-path)" .build/docs

bench: build setup-bench
	python3 Bench/bench.py --pinstat "$$($(RELEASE_BUILD) --show-bin-path)/pinstat" \
	  --size $(SIZES) --runs $(RUNS) --json .build/bench.json --markdown .build/bench.md

# That every row of the bench runs; its times, on a debug build and small inputs, say nothing.
bench-smoke: setup-bench
	@mkdir -p .build
	python3 Bench/bench.py --pinstat "$$($(SWIFT) build $(TEST_FLAGS) --show-bin-path)/pinstat" \
	  --size 1M --runs 1 > .build/bench-smoke.txt || { cat .build/bench-smoke.txt; exit 1; }

# Measures BEFORE against AFTER. Fixtures/lab/run tells what else can be set: SIZES, PAGES, RUNS, CLOCK, FUNCTION ...
lab: build setup-lab
	@PINSTAT="$$($(RELEASE_BUILD) --show-bin-path)/pinstat" Fixtures/lab/run

# One stock kernel in an emulator: the real tracer, with the tests' build of pinstat.
lab-smoke: setup-lab
	@PINSTAT="$$($(SWIFT) build $(TEST_FLAGS) --show-bin-path)/pinstat" Fixtures/lab/smoke

install: build
	$(RELEASE_BUILD) --product manual
	@$(MAKE) --no-print-directory install-files BIN="$$($(RELEASE_BUILD) --show-bin-path)"

COMMANDS = analyze compare export merge model record
MAN = $(DESTDIR)$(PREFIX)/share/man/man1
BASH_COMPLETION = $(DESTDIR)$(PREFIX)/share/bash-completion/completions/pinstat
ZSH_COMPLETION = $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_pinstat
FISH_COMPLETION = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/pinstat.fish

# What is built already, in BIN, put in place.
install-files:
	@set -e; test -n "$(BIN)" || { echo "BIN names the folder of the built programs"; exit 1; }; \
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(MAN)" "$(dir $(BASH_COMPLETION))" "$(dir $(ZSH_COMPLETION))" \
	  "$(dir $(FISH_COMPLETION))"; \
	install -m 755 -s "$(BIN)/pinstat" "$(DESTDIR)$(PREFIX)/bin/pinstat"; \
	pages="$$(mktemp -d)"; trap 'rm -rf "$$pages"' EXIT; \
	"$(BIN)/pinstat" --experimental-dump-help > "$$pages/help.json"; \
	"$(BIN)/manual" "$$pages" < "$$pages/help.json"; \
	install -m 644 "$$pages"/*.1 "$(MAN)"; \
	for shell in bash zsh fish; do \
	  "$(BIN)/pinstat" --generate-completion-script $$shell > "$$pages/$$shell"; \
	done; \
	install -m 644 "$$pages/bash" "$(BASH_COMPLETION)"; \
	install -m 644 "$$pages/zsh" "$(ZSH_COMPLETION)"; \
	install -m 644 "$$pages/fish" "$(FISH_COMPLETION)"; \
	echo "Installed $(DESTDIR)$(PREFIX)/bin/pinstat, its manual pages, and completions for bash, zsh and fish."

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/pinstat" "$(MAN)/pinstat.1" $(COMMANDS:%="$(MAN)/pinstat-%.1") \
	  "$(BASH_COMPLETION)" "$(ZSH_COMPLETION)" "$(FISH_COMPLETION)"

clean:
	rm -rf .build .build-*

# Installs those of the packages in $(1) that are missing.
define install_missing
@command -v $(firstword $(SWIFT)) >/dev/null || { \
  echo "pinstat needs the Swift toolchain, 6.2 or later, on the PATH: https://www.swift.org/install/linux/"; exit 1; }
@missing=""; for package in $(1); do \
  dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$package"; \
done; \
if [ -n "$$missing" ]; then \
  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
  echo "Installing from Debian:$$missing"; \
  export DEBIAN_FRONTEND=noninteractive; \
  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends $$missing; \
fi
endef

setup-build:
	$(call install_missing,$(BUILD_PACKAGES))

setup-bench:
	$(call install_missing,$(BENCH_PACKAGES))

setup-fleet:
	$(call install_missing,$(FLEET_PACKAGES))
	@if ! cmp -s $(FLEET_REQUIREMENTS) $(FLEET_VENV)/installed.txt; then \
	  echo "Installing from PyPI into $(FLEET_VENV) (Spark alone is a download of 300 MB):"; \
	  grep -v '^#' $(FLEET_REQUIREMENTS); \
	  rm -rf $(FLEET_VENV) && /usr/bin/python3 -m venv $(FLEET_VENV) && \
	  $(FLEET_VENV)/bin/pip install -q --disable-pip-version-check -r $(FLEET_REQUIREMENTS) && \
	  cp $(FLEET_REQUIREMENTS) $(FLEET_VENV)/installed.txt; \
	fi

setup-test:
	$(call install_missing,$(TEST_PACKAGES))

setup-lab:
	$(call install_missing,$(LAB_PACKAGES))

setup-lint:
	$(call install_missing,$(LINT_PACKAGES))
