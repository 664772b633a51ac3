# Test programs and the targets that run them; included by ../Makefile.

UNIT_SRC   := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN   := $(UNIT_SRC:tests/unit/%.c=$(OUT)/tests/unit/%)
FUZZ_SRC   := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_NAMES := $(FUZZ_SRC:tests/fuzz/%.c=%)
# Corpus replay: every fuzz target with a main() of its own, any compiler.
REPLAY_BIN := $(FUZZ_NAMES:%=$(OUT)/tests/replay/%)
INTEG_SRC  := $(sort $(wildcard tests/integration/test_*.c))
INTEG_BIN  := $(INTEG_SRC:tests/integration/%.c=$(OUT)/tests/integration/%)

$(OUT)/obj/tests/%.o: CFLAGS_ALL += -I. -Itests -Icontroller -DTEST_SOURCE -Wno-missing-prototypes

# Unit tests: tests/unit/test_x.c with helpers in tests/unit/*.c, linked with
# the layers. White-box tests include the .c file they test; --allow-multiple
# is not needed because archives only give what is still undefined.
UNIT_HELPERS := $(patsubst %.c,$(OUT)/obj/%.o,$(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c)) tests/lib/tlsclient.c)
# An archive: a test takes the helpers that it uses, with what those need.
$(OUT)/libunit.a: $(UNIT_HELPERS)
	$(call say,AR,$@)rm -f $@ && ar rcsD $@ $^

# Parts beside main.c (config, key Secrets) as an archive for their tests.
MAIN_PARTS := $(filter-out $(OUT)/obj/controller/main.o,$(MAIN_SRC:%.c=$(OUT)/obj/%.o))
$(OUT)/libmainparts.a: $(MAIN_PARTS)
	$(call say,AR,$@)rm -f $@ && ar rcsD $@ $^

# A unit test needs only its own layer and those below it, so that a broken
# file elsewhere does not stop it: "/* layer: kube */" in its first lines.
layer_of   = $(or $(shell sed -n 's,.*layer: *\([a-z]*\).*,\1,p;20q' $(1) 2>/dev/null | head -n 1),main)
below_main         := mainparts http sealedsecret cache kube keystore metrics tmpl base
below_http         := http sealedsecret cache kube keystore metrics tmpl base
below_sealedsecret := sealedsecret cache kube keystore metrics tmpl base
# Without the template engine.
below_reseal       := sealedsecret cache kube keystore metrics base
below_cache        := cache kube metrics base
below_kube         := kube metrics base
below_keystore     := keystore base
below_metrics      := metrics base
below_tmpl         := tmpl base
below_base         := base
define unit_rule
$(OUT)/tests/unit/$(1): $(OUT)/obj/tests/unit/$(1).o $(OUT)/libunit.a $(foreach c,$(below_$(call layer_of,tests/unit/$(1).c)),$(OUT)/lib$(c).a)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(LDFLAGS_ALL) -pthread -o $$@ $$^ $$(PKG_LIBS) -lcmocka
.PHONY: unit-$(patsubst test_%,%,$(1))
unit-$(patsubst test_%,%,$(1)): $(OUT)/tests/unit/$(1)
	$$(Q)$$<
endef
$(foreach t,$(UNIT_SRC:tests/unit/%.c=%),$(eval $(call unit_rule,$(t))))

$(OUT)/tests/replay/%: $(OUT)/obj/tests/fuzz/%.o $(OUT)/obj/tests/fuzz/replay_main.o $(OUT)/libmainparts.a $(LINK_LIBS)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(PKG_LIBS)

$(OUT)/tests/fuzz/%: $(OUT)/obj/tests/fuzz/%.o $(OUT)/libmainparts.a $(LINK_LIBS)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(PKG_LIBS)

LIBTEST_OBJ := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard tests/lib/*.c))
$(OUT)/libtest.a: $(LIBTEST_OBJ)
	$(call say,AR,$@)rm -f $@ && ar rcsD $@ $^

# Verify and rotate with nothing behind them but the keystore: the template
# engine, or anything else that they must not reach, would be missing here.
RESEAL_OBJ := $(addprefix $(OUT)/obj/controller/sealedsecret/,reseal.o resealobject.o sealedsecret.o scope.o merge.o fields.o)
$(OUT)/tests/reseal_link: $(OUT)/obj/tests/reseal_link.o $(RESEAL_OBJ) $(OUT)/libkube.a $(OUT)/libmetrics.a $(OUT)/libkeystore.a $(OUT)/libbase.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(PKG_LIBS)

APISERVER_OBJ := $(patsubst %.c,$(OUT)/obj/%.o,$(filter-out tests/apiserver/conformance%.c,$(wildcard tests/apiserver/*.c)))
$(OUT)/tests/apiserver: $(APISERVER_OBJ) $(OUT)/libbase.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(PKG_LIBS)

CONFORMANCE_OBJ := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard tests/apiserver/conformance*.c))
$(OUT)/tests/conformance: $(CONFORMANCE_OBJ) $(OUT)/libtest.a $(OUT)/libkeystore.a $(OUT)/libbase.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(PKG_LIBS) -lcmocka

INTEG_HELPERS := $(patsubst %.c,$(OUT)/obj/%.o,$(filter-out $(INTEG_SRC),$(wildcard tests/integration/*.c)))
$(OUT)/tests/integration/%: $(OUT)/obj/tests/integration/%.o $(INTEG_HELPERS) $(OUT)/libtest.a $(OUT)/libkeystore.a $(OUT)/libbase.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(PKG_LIBS) -lcmocka

# A small sealing tool for the demo and by-hand tests (kubeseal is not in Debian).
$(OUT)/tests/seal: $(OUT)/obj/tests/seal.o $(OUT)/libkeystore.a $(OUT)/libbase.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(PKG_LIBS)

# Renders JSON lines, for the comparison with Go: see tests/tmpl/README.md.
$(OUT)/tests/tmpl: $(OUT)/obj/tests/tmpl/render_main.o $(OUT)/libtmpl.a $(OUT)/libbase.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(PKG_LIBS)

BENCH_SRC     := $(wildcard tests/bench/bench_*.c)
BENCH_BIN     := $(BENCH_SRC:tests/bench/%.c=$(OUT)/tests/%)
BENCH_HELPERS := $(patsubst %.c,$(OUT)/obj/%.o,$(filter-out $(BENCH_SRC),$(wildcard tests/bench/*.c)))
$(OUT)/libbench.a: $(BENCH_HELPERS)
	$(call say,AR,$@)rm -f $@ && ar rcsD $@ $^

$(OUT)/tests/bench_%: $(OUT)/obj/tests/bench/bench_%.o $(OUT)/libbench.a $(LINK_LIBS)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -pthread -o $@ $^ $(PKG_LIBS)

TEST_BINS := $(OUT)/tests/reseal_link $(UNIT_BIN) $(REPLAY_BIN) $(OUT)/tests/conformance $(INTEG_BIN)

## test: unit tests, fuzz corpora, conformance of tests/apiserver, integration tests
.PHONY: test
test: deps
	$(Q)$(MAKE) --no-print-directory run-tests VARIANT=$(VARIANT)

.PHONY: test-bins run-tests
test-bins: $(OUT)/controller $(OUT)/tests/apiserver $(TEST_BINS)
run-tests: test-bins
	$(Q)OUT=$(OUT) CONTROLLER=$(OUT)/controller tests/run.sh

## asan: the test suite under AddressSanitizer and UBSan
.PHONY: asan
asan: deps
	$(Q)$(MAKE) --no-print-directory run-tests VARIANT=asan

## tsan: the test suite under ThreadSanitizer
.PHONY: tsan
tsan: deps
	$(Q)$(MAKE) --no-print-directory run-tests VARIANT=tsan

## fuzz: run every fuzz target for FUZZ_SECONDS (60) each with libFuzzer
FUZZ_SECONDS ?= 60
.PHONY: fuzz fuzz-bins
fuzz-bins: $(FUZZ_NAMES:%=$(OUT)/tests/fuzz/%)
fuzz:
	$(Q).ci/deps lint
	$(Q)$(MAKE) --no-print-directory fuzz-bins VARIANT=fuzz CC=clang
	$(Q)for t in $(FUZZ_NAMES); do \
		echo "== $$t"; mkdir -p $(BUILD)/fuzz/corpus/$$t; \
		$(BUILD)/fuzz/tests/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
		    -rss_limit_mb=2048 $(BUILD)/fuzz/corpus/$$t tests/fuzz/corpus/$$t || exit 1; \
	done

## e2e: the program against a real kube-apiserver and the stock kubeseal
.PHONY: e2e
e2e: deps
	$(Q)$(MAKE) --no-print-directory all $(OUT)/tests/conformance $(OUT)/tests/apiserver
	$(Q).ci/deps e2e
	$(Q)tests/tmpl/check.sh
	$(Q)CONTROLLER=$(BUILD)/controller CONFORMANCE=$(OUT)/tests/conformance tests/e2e/run.sh

## docs-test: every command and link of the documentation, see tests/docs
.PHONY: docs-test
docs-test: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)CONTROLLER=$(BUILD)/controller tests/docs/run.sh

## bench: measured ratios, see tests/bench/README.md
.PHONY: bench
bench: deps
	$(Q)$(MAKE) --no-print-directory all $(BENCH_BIN)
	$(Q).ci/deps e2e
	$(Q)OUT=$(OUT) CONTROLLER=$(BUILD)/controller tests/bench/run.sh
