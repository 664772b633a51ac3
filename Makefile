# Sealed Secrets controller. One non-recursive Makefile.
#
#   make            build/controller
#   make demo       see it work, in a minute
#   make test       unit and integration tests
#
# Objects go to $(BUILD)/<variant>/; V=1 shows the commands.

BUILD   ?= build
VARIANT ?= release
OUT     := $(BUILD)/$(VARIANT)
CC      ?= cc
PREFIX  ?= /usr/local
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)';)

# Layers, lowest first: an archive may use those before it (see .ci/layers).
COMPONENTS := base tmpl metrics keystore kube cache sealedsecret http
MAIN_SRC   := $(wildcard controller/*.c)
src_of      = $(sort $(wildcard $(if $(filter keystore,$(1)),keystore,controller/$(1))/*.c))
LIBS       := $(foreach c,$(COMPONENTS),$(OUT)/lib$(c).a)
# For linking: highest layer first.
LINK_ORDER := http sealedsecret cache kube keystore metrics tmpl base
LINK_LIBS  := $(foreach c,$(LINK_ORDER),$(OUT)/lib$(c).a)

VERSION := v0.1.0
COMMIT  := $(shell git rev-parse --verify -q HEAD 2>/dev/null)
EXACT   := $(shell git describe --tags --exact-match 2>/dev/null)
DIRTY   := $(if $(COMMIT),$(shell git status --porcelain 2>/dev/null | head -n 1 | sed 's/.*/+dirty/'))
# A tagged or unpacked release says its version, a checkout says its commit.
BUILD_VERSION ?= $(if $(EXACT)$(if $(COMMIT),,x),$(VERSION),$(COMMIT)$(DIRTY))

PKGS := libcurl libcrypto libssl jansson yaml-0.1 libmicrohttpd gnutls \
	libpcre2-8 libutf8proc libcrypt zlib
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
PKG_LIBS   += $(if $(PKG_LIBS),-lm)

WARN := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow \
	-Wconversion -Wsign-conversion -Wvla -Wformat=2 -Wimplicit-fallthrough \
	-Wundef -Wpointer-arith -Wwrite-strings -Wbidi-chars=any -Werror
CLANG_WARN := -Wthread-safety -Wno-unknown-warning-option
IS_CLANG   := $(shell $(CC) --version 2>/dev/null | grep -c clang)
ifneq ($(IS_CLANG),0)
WARN += $(CLANG_WARN)
endif

COMMON := -std=gnu17 -D_GNU_SOURCE -Iinclude -pthread -fvisibility=hidden \
	-fno-strict-aliasing -fno-delete-null-pointer-checks \
	-ffile-prefix-map=$(CURDIR)/= -ffile-prefix-map=$(CURDIR)=. \
	-include include/base/banned.h
# Flags that only some compilers know are asked for, never assumed.
cc_option = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo '$(1)')
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
CF_PROT := $(if $(findstring x86_64,$(MACHINE)),-fcf-protection=full,$(if $(findstring aarch64,$(MACHINE)),-mbranch-protection=standard))

ifeq ($(VARIANT),asan)
FLAVOUR := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAVOUR := -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
FLAVOUR := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
LDFLAVOUR := -fsanitize=thread
else ifeq ($(VARIANT),fuzz)
FLAVOUR := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAVOUR := -fsanitize=address,undefined,fuzzer
else
FLAVOUR := -O2 -g -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
	-fstack-protector-strong -fstack-clash-protection \
	-fno-strict-overflow $(CF_PROT) \
	$(call cc_option,-ftrivial-auto-var-init=zero) \
	$(call cc_option,-fstrict-flex-arrays=3)
LDFLAVOUR := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
	-Wl,--as-needed -Wl,--build-id=sha1
endif

CFLAGS_ALL  = $(COMMON) $(WARN) $(FLAVOUR) $(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(LDFLAVOUR) $(LDFLAGS)

.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

include tests/tests.mk

## all: the program, $(BUILD)/controller
.PHONY: all
all: $(BUILD)/controller

# A plain "make" on a machine without the libraries says what to do.
ifeq ($(PKG_LIBS)$(filter deps demo test asan tsan fuzz e2e docs-test bench image lint format clean help,$(MAKECMDGOALS)),)
$(error libraries are missing: run "make deps" first)
endif

$(BUILD)/controller: $(OUT)/controller
	$(Q)cp -f $< $@

$(OUT)/controller: $(MAIN_SRC:%.c=$(OUT)/obj/%.o) $(LINK_LIBS)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $(filter %.o,$^) $(LINK_LIBS) $(PKG_LIBS)

define component_rule
$(OUT)/lib$(1).a: $(patsubst %.c,$(OUT)/obj/%.o,$(call src_of,$(1)))
	$$(call say,AR,$$@)rm -f $$@ && ar rcsD $$@ $$^
endef
$(foreach c,$(COMPONENTS),$(eval $(call component_rule,$(c))))

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The version is compiled into one file only, which is rebuilt when it changes.
$(OUT)/obj/controller/version.o: CFLAGS_ALL += -DBUILD_VERSION='"$(BUILD_VERSION)"'
$(OUT)/obj/controller/version.o: $(OUT)/version.stamp
$(OUT)/version.stamp: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(BUILD_VERSION)' | cmp -s - $@ || printf '%s\n' '$(BUILD_VERSION)' > $@
.PHONY: FORCE
FORCE:

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)

## deps: install what is missing (Debian bookworm or trixie, root or sudo)
.PHONY: deps
deps:
	$(Q).ci/deps build

## demo: build, then show a SealedSecret becoming a Secret, step by step
.PHONY: demo
demo: deps
	$(Q)$(MAKE) --no-print-directory all $(OUT)/tests/apiserver $(OUT)/tests/seal
	$(Q)BUILD=$(BUILD) OUT=$(OUT) tests/demo.sh

## lint: layers, fenced headers, format, clang-tidy, shellcheck
.PHONY: lint
lint:
	$(Q).ci/deps lint
	$(Q).ci/lint

## format: apply clang-format
.PHONY: format
format:
	$(Q).ci/deps lint
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

## man: the manual page, $(BUILD)/controller.8
.PHONY: man
man: $(BUILD)/controller.8
$(BUILD)/controller.8: $(BUILD)/controller controller/controller.8.in controller/manpage.awk
	$(call say,MAN,$@)$< --help | awk -v version=$(VERSION) -f controller/manpage.awk - controller/controller.8.in > $@

## install: program and manual page, below $(DESTDIR)$(PREFIX)
.PHONY: install
install: all man
	install -D -m 0755 $(BUILD)/controller $(DESTDIR)$(PREFIX)/bin/controller
	install -D -m 0644 $(BUILD)/controller.8 $(DESTDIR)$(PREFIX)/share/man/man8/controller.8

## image: build the container image $(IMAGE), and try it
IMAGE ?= sealed-secrets-controller:dev
export IMAGE
.PHONY: image
image:
	$(Q).ci/deps image
	$(Q)$(MAKE) --no-print-directory $(OUT)/tests/apiserver $(OUT)/tests/seal
	$(Q)IMAGE_VERSION=$(VERSION) .ci/image build
	$(Q)BUILD=$(BUILD) OUT=$(OUT) .ci/image test

## clean: remove $(BUILD)
.PHONY: clean
clean:
	rm -rf $(BUILD)

## help: this list
.PHONY: help
help:
	@awk -F ': ' -v tty="$$(test -t 1 && echo 1)" '/^## / { \
		name = substr($$1, 4); text = substr($$0, length($$1) + 3); \
		gsub(/\$$\(BUILD\)/, "$(BUILD)", text); \
		printf(tty ? "  \033[1m%-10s\033[0m %s\n" : "  %-10s %s\n", name, text) \
	}' $(MAKEFILE_LIST)
