# ngx_http_ktp: "make help" lists the targets.

NGINX_SRC ?= /usr/share/nginx/src
VARIANT   ?= release
CLANG     ?= clang

ROOT  := $(CURDIR)
OUT_release := build
OUT_debug   := build/debug
OUT_asan    := build/asan
OUT_coverage := build/coverage
OUT   := $(OUT_$(VARIANT))
ifeq ($(OUT),)
$(error VARIANT is one of release, debug, asan, coverage)
endif

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
            -fno-omit-frame-pointer

OPT_release  := -O2 -g
OPT_debug    := -O0 -g3
OPT_asan     := -O1 -g $(SANITIZE)
OPT_coverage := -O0 -g --coverage
OPT          := $(OPT_$(VARIANT))

WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wvla
KTP_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fstack-protector-strong \
            -D_FILE_OFFSET_BITS=64 $(WARN) $(OPT)
ifneq ($(VARIANT),asan)
KTP_CFLAGS += $(if $(filter release,$(VARIANT)),-D_FORTIFY_SOURCE=2)
endif

EXTRACTOR_PKGS := tesseract lept libturbojpeg spng libmicrohttpd libseccomp

CONTRACT_SRCS  := $(wildcard src/contract/*.c)
CONTRACT_OBJS  := $(CONTRACT_SRCS:%.c=$(OUT)/obj/%.o)
# the two programs have a file each with main(); the rest is their library
EXTRACTOR_MAINS := src/extractor/ktp_extract.c src/extractor/ktp_extractd.c
EXTRACTOR_SRCS := $(filter-out $(EXTRACTOR_MAINS),$(wildcard src/extractor/*.c))
EXTRACTOR_OBJS := $(EXTRACTOR_SRCS:%.c=$(OUT)/obj/%.o) \
                  $(OUT)/obj/ktpd_region_table.o
UNIT_TESTS     := $(patsubst t/unit/%.c,$(OUT)/unit/%,$(wildcard t/unit/test_*.c))
UNIT_TESTS     += $(patsubst t/daemon/%.c,$(OUT)/unit/%,$(wildcard t/daemon/test_*.c))
FUZZ_TARGETS   := $(patsubst t/fuzz/%.c,build/fuzz/%,$(wildcard t/fuzz/fuzz_*.c))

MODULE := $(OUT)/ngx_http_ktp_module.so

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)
	@echo "  VARIANT=release|debug|asan|coverage chooses the build."

.PHONY: build
build: module extractor ## build the module and the extractor

.PHONY: module
module: $(MODULE) ## build the nginx module

.PHONY: extractor
extractor: $(OUT)/ktp-extract $(OUT)/ktp-extractd ## build the local extractor


# -- the module, against the distribution's nginx

NGX_OBJS := $(OUT)/nginx

NGX_SOURCES := $(wildcard src/contract/*.[ch] src/gateway/*.[ch])

# written anew only when a file has come or gone
$(NGX_OBJS)/sources: FORCE
	@mkdir -p $(NGX_OBJS)
	@echo $(NGX_SOURCES) | cmp -s - $@ || echo $(NGX_SOURCES) > $@

$(NGX_OBJS)/Makefile: config $(NGINX_SRC)/conf_flags $(NGX_OBJS)/sources
	@echo "configuring nginx's build for the module ($(VARIANT))"
	@cd $(NGINX_SRC) && bash -c '. ./conf_flags; \
		env -u CFLAGS -u LDFLAGS ./configure "$${NGX_CONF_FLAGS[@]}" \
		--builddir=$(ROOT)/$(NGX_OBJS) --add-dynamic-module=$(ROOT)' \
		> $(ROOT)/$(NGX_OBJS)/configure.log 2>&1 \
		|| { tail -n 12 $(ROOT)/$(NGX_OBJS)/configure.log; \
		rm -f $(ROOT)/$(NGX_OBJS)/Makefile; exit 1; }
	@touch $@

# what a variant adds goes to make, not to configure: the feature tests of
# configure must not run under a sanitizer
NGX_ADD_release  :=
NGX_ADD_debug    := -O0
NGX_ADD_asan     := -O1 -U_FORTIFY_SOURCE $(SANITIZE) \
                    -include $(ROOT)/t/lib/asan_pools.h
NGX_ADD_coverage := -O0 -U_FORTIFY_SOURCE --coverage
NGX_LINK_asan     := cc $(SANITIZE)
NGX_LINK_coverage := cc --coverage

$(MODULE): $(NGX_OBJS)/Makefile FORCE
	@flags=$$(sed -n 's/^CFLAGS = *//p' $<); \
	$(MAKE) --no-print-directory -s -f $(ROOT)/$(NGX_OBJS)/Makefile \
		-C $(NGINX_SRC) modules \
		CFLAGS="$$flags $(NGX_ADD_$(VARIANT))" \
		$(if $(NGX_LINK_$(VARIANT)),LINK="$(NGX_LINK_$(VARIANT))") $(NGX_MAKE)
	@cmp -s $(NGX_OBJS)/ngx_http_ktp_module.so $@ \
		|| { cp $(NGX_OBJS)/ngx_http_ktp_module.so $@.new && mv $@.new $@; }

.PHONY: FORCE
FORCE:


# -- contract and extractor

$(OUT)/obj/src/contract/%.o: src/contract/%.c
	@mkdir -p $(@D)
	$(CC) $(KTP_CFLAGS) -fPIC -Isrc/contract -MMD -MP -c -o $@ $<

$(OUT)/obj/src/extractor/%.o: src/extractor/%.c
	@mkdir -p $(@D)
	$(CC) $(KTP_CFLAGS) $(shell pkg-config --cflags $(EXTRACTOR_PKGS)) \
		-Isrc/contract -Isrc/extractor -MMD -MP -c -o $@ $<

EXTRACTOR_LIBS = $(shell pkg-config --libs $(EXTRACTOR_PKGS)) -lyajl -lcrypto \
		-lgomp -lpthread -lm

# all regions of Indonesia, down to villages, as a table in the program
build/ktpd_region_table.c: data/wilayah.tsv scripts/make-regions
	@mkdir -p $(@D)
	@scripts/make-regions $< > $@.new && mv $@.new $@

$(OUT)/obj/ktpd_region_table.o: build/ktpd_region_table.c \
		src/extractor/ktpd_region.h
	@mkdir -p $(@D)
	$(CC) $(KTP_CFLAGS) -Isrc/extractor -c -o $@ $<

$(OUT)/ktp-extract: $(OUT)/obj/src/extractor/ktp_extract.o
$(OUT)/ktp-extractd: $(OUT)/obj/src/extractor/ktp_extractd.o
$(OUT)/ktp-extract $(OUT)/ktp-extractd: $(EXTRACTOR_OBJS) $(CONTRACT_OBJS)
	$(CC) $(OPT) -Wl,-z,relro,-z,now -o $@ $^ $(EXTRACTOR_LIBS)

# the drawing program of the demo and the tests

SPECIMEN_PKGS := pangocairo cairo libturbojpeg
SPECIMEN_OBJS := $(patsubst %.c,build/obj/%.o,$(wildcard t/specimen/*.c))

build/obj/t/specimen/%.o: t/specimen/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 -g -It/specimen -MMD -MP \
		$(shell pkg-config --cflags $(SPECIMEN_PKGS)) -c -o $@ $<

build/ktp-specimen: $(SPECIMEN_OBJS)
	$(CC) -O2 -o $@ $^ $(shell pkg-config --libs $(SPECIMEN_PKGS)) -lyajl -lm

.PHONY: specimen
specimen: build/ktp-specimen ## build the program that draws specimen cards



# -- measuring the extractor on labelled images

MEASURE_SRCS := bench/specimens.c bench/truth_json.c

$(OUT)/bench/%: bench/%.c $(MEASURE_SRCS) $(EXTRACTOR_OBJS) $(CONTRACT_OBJS)
	@mkdir -p $(@D)
	$(CC) $(KTP_CFLAGS) $(shell pkg-config --cflags $(EXTRACTOR_PKGS)) \
		-Isrc/contract -Isrc/extractor -Ibench -MMD -MP -MF $@.d -o $@ \
		$< $(MEASURE_SRCS) $(EXTRACTOR_OBJS) $(CONTRACT_OBJS) \
		$(EXTRACTOR_LIBS)

.PHONY: accuracy
accuracy: $(OUT)/bench/accuracy ## measure the reader on SET, a folder; N=4: every 4th
	@$< $(if $(N),-n $(N)) $(if $(V),-v) $(SET)


.PHONY: quality
quality: $(OUT)/bench/quality ## measures of quality and thresholds, on SET
	@$< $(if $(V),-v) $(SET)

.PHONY: corners
corners: $(OUT)/bench/corners ## how often the card's corners are found, on SET
	@$< $(if $(V),-v) $(SET)

.PHONY: damage
damage: $(OUT)/bench/damage ## damaged images of SET into the reader; N: how many
	@$< $(or $(N),200) $(SET)

# The weights are in the tree; this makes them again, from typefaces that
# FONTS names as WEIGHT:FILE (see docs/accuracy.md).
build/bench/train_digits: bench/train_digits.c src/extractor/ktpd_digits.c \
		src/extractor/ktpd_digit_weights.c src/extractor/ktpd_digits.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O3 -march=native -ffast-math \
		$(shell pkg-config --cflags freetype2) -Isrc/extractor -o $@ \
		$(filter %.c,$^) $(shell pkg-config --libs freetype2) -lm

.PHONY: digit-weights
digit-weights: build/bench/train_digits ## train the reader of digits on FONTS
	nice $< 1500000 $(FONTS) > build/ktpd_digit_weights.c
	mv build/ktpd_digit_weights.c src/extractor/ktpd_digit_weights.c

# Likewise for lines, from the typefaces that bench/line_fonts names; the
# training goes on where STATE left off.
build/line_drawer.so: bench/line_drawer.c src/extractor/ktpd_lines.c \
		src/extractor/ktpd_line_weights.c src/extractor/ktpd_lines.h \
		src/extractor/ktpd_line_sums.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O3 -march=native -ffast-math \
		-shared -fPIC $(shell pkg-config --cflags freetype2 libturbojpeg) \
		-Isrc/extractor -o $@ $(filter %.c,$^) \
		$(shell pkg-config --libs freetype2 libturbojpeg) -lm

LINE_STATE   ?= build/lines.state
LINE_MINUTES ?= 90

.PHONY: line-weights
line-weights: build/line_drawer.so ## train the reader of lines, LINE_MINUTES long
	nice bench/train_lines.py train $(LINE_STATE) $(LINE_MINUTES) \
		bench/line_fonts
	bench/train_lines.py write $(LINE_STATE) > build/ktpd_line_weights.c
	mv build/ktpd_line_weights.c src/extractor/ktpd_line_weights.c

-include $(shell find build -name '*.d' 2>/dev/null)


# -- tests

$(OUT)/unit/%: t/unit/%.c $(CONTRACT_OBJS)
	@mkdir -p $(@D)
	$(CC) $(KTP_CFLAGS) -Isrc/contract -It/unit -MMD -MP -MF $@.d -o $@ $< \
		$(CONTRACT_OBJS) -lcmocka -lyajl -lcrypto -lm

$(OUT)/unit/%: t/daemon/%.c $(EXTRACTOR_OBJS) $(CONTRACT_OBJS)
	@mkdir -p $(@D)
	$(CC) $(KTP_CFLAGS) -Isrc/contract -Isrc/extractor -MMD -MP -MF $@.d \
		-o $@ $^ -lcmocka $(EXTRACTOR_LIBS)

$(OUT)/unit/test_extractor_%: t/unit/test_extractor_%.c $(EXTRACTOR_OBJS) \
		$(CONTRACT_OBJS)
	@mkdir -p $(@D)
	$(CC) $(KTP_CFLAGS) $(shell pkg-config --cflags $(EXTRACTOR_PKGS)) \
		-Isrc/contract -Isrc/extractor -MMD -MP -MF $@.d -o $@ $< \
		$(EXTRACTOR_OBJS) $(CONTRACT_OBJS) -lcmocka $(EXTRACTOR_LIBS)

.PHONY: unit-build
unit-build: $(UNIT_TESTS)

.PHONY: unit
unit: $(UNIT_TESTS) ## run the unit tests
	@for t in $(UNIT_TESTS); do echo "# $$t"; ./$$t || exit 1; done

.PHONY: check
check: layers format lint unit ## check layers, format, lint and unit tests

.PHONY: layers
layers: ## check that arrows between layers point one way
	@scripts/check-layers

.PHONY: format
format: ## check the formatter's layout
	@find *.c src t bench -name '*.[ch]' 2> /dev/null \
		| xargs -r clang-format --dry-run -Werror

.PHONY: lint
lint: ## run the linter
	@scripts/gen-regions --check
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability \
		--inline-suppr --error-exitcode=1 -Isrc/contract \
		-i src/extractor/ktpd_digit_weights.c \
		-i src/extractor/ktpd_line_weights.c \
		--suppress=missingIncludeSystem src/contract src/extractor

.PHONY: test
test: ## set up, build and run everything (scripts/test)
	@scripts/test

# what has no nginx of ours is left out
VALGRIND_TESTS = $(filter-out t/demo.t t/extractd%.t t/ktp-extract.t \
            t/reference.t t/ktp-key.t, \
            $(wildcard t/*.t))

.PHONY: valgrind
valgrind: module ## run t/*.t with nginx under valgrind; T=FILE...: some
	@scripts/install-deps dev
	@TEST_NGINX_USE_VALGRIND=1 scripts/run-tap build/valgrind.tally \
		$(or $(T),$(VALGRIND_TESTS))

.PHONY: demo
demo: ## set up, build and show it (scripts/demo)
	@scripts/demo


# -- benchmarks, beside what a user would have instead

BENCH_PROGRAMS := $(OUT)/bench/sink $(OUT)/bench/load

$(BENCH_PROGRAMS): $(OUT)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(CC) $(KTP_CFLAGS) -o $@ $< -lssl -lcrypto

.PHONY: bench-build
bench-build: module $(BENCH_PROGRAMS)

.PHONY: bench
bench: ## measure the gateway beside its peers; Q=-q: quickly
	@scripts/install-deps bench
	@$(MAKE) --no-print-directory bench-build
	@bench/run $(Q)


# -- the contract layer alone, on files and against the clock

$(OUT)/ktp-intake: bench/ktp_intake.c $(CONTRACT_OBJS)
	$(CC) $(KTP_CFLAGS) -Isrc/contract -MMD -MP -MF $@.d -o $@ $< \
		$(CONTRACT_OBJS) -lyajl -lcrypto -lm

$(OUT)/intake_bench: bench/intake_bench.c $(CONTRACT_OBJS)
	$(CC) $(KTP_CFLAGS) -Isrc/contract -MMD -MP -MF $@.d -o $@ $< \
		$(CONTRACT_OBJS) -lyajl -lcrypto -lm

.PHONY: bench-intake
bench-intake: $(OUT)/intake_bench ## bytes per CPU second of each way in
	@$<

$(OUT)/answer_bench: bench/answer_bench.c $(CONTRACT_OBJS)
	$(CC) $(KTP_CFLAGS) -Isrc/contract -MMD -MP -MF $@.d -o $@ $< \
		$(CONTRACT_OBJS) -lyajl -lcrypto -lm

# the module's own object, with the least of nginx around it
NGX_INCS := $(addprefix -I$(NGINX_SRC)/src/,core event event/modules os/unix \
		http http/modules http/v2)

$(OUT)/counters_bench: bench/counters_bench.c $(MODULE) $(CONTRACT_OBJS)
	$(CC) $(OPT) -D_GNU_SOURCE -Wall -I$(NGX_OBJS) $(NGX_INCS) \
		-Isrc/gateway -Isrc/contract -MMD -MP -MF $@.d -o $@ $< \
		$(NGX_OBJS)/addon/gateway/ngx_http_ktp_metrics.o \
		$(CONTRACT_OBJS) -lyajl -lpthread

.PHONY: bench-answer
bench-answer: $(OUT)/answer_bench $(OUT)/counters_bench ## CPU time of rewriting and of counters
	@$(OUT)/answer_bench
	@$(OUT)/counters_bench


# -- fuzzing: clang's libFuzzer over src/contract

FUZZ_SECONDS ?= 60
FUZZ_CFLAGS  := -std=gnu11 -D_GNU_SOURCE -g -O1 -fno-omit-frame-pointer \
            -fsanitize=fuzzer,address,undefined \
            -fno-sanitize-recover=undefined

FUZZ_OBJS := $(CONTRACT_SRCS:%.c=build/fuzz/obj/%.o)

build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -Isrc/contract -MMD -MP -c -o $@ $<

build/fuzz/%: t/fuzz/%.c $(FUZZ_OBJS)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -Isrc/contract -MMD -MP -MF $@.d -o $@ $< \
		$(FUZZ_OBJS) -lyajl -lcrypto -lm

.SECONDARY: $(FUZZ_OBJS)

.PHONY: fuzz-build
fuzz-build: $(FUZZ_TARGETS)

$(OUT)/make_seeds: t/fuzz/make_seeds.c $(CONTRACT_OBJS) $(wildcard t/unit/*.h)
	$(CC) $(KTP_CFLAGS) -Isrc/contract -o $@ $< $(CONTRACT_OBJS) -lyajl \
		-lcrypto -lm

.PHONY: fuzz-seeds
fuzz-seeds: $(OUT)/make_seeds ## write the fuzzers' seeds from the unit cases
	@rm -rf t/fuzz/corpus/fuzz_json t/fuzz/corpus/fuzz_multipart \
		t/fuzz/corpus/fuzz_base64 t/fuzz/corpus/fuzz_probe \
		t/fuzz/corpus/fuzz_intake
	@$< t/fuzz/corpus

.PHONY: fuzz
fuzz: $(FUZZ_TARGETS) ## fuzz each target for FUZZ_SECONDS (60)
	@for t in $(FUZZ_TARGETS); do n=$$(basename $$t); echo "# $$n"; \
		mkdir -p build/fuzz/new/$$n; \
		$$t -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -verbosity=0 \
		-print_final_stats=1 -artifact_prefix=build/fuzz/$$n- \
		build/fuzz/new/$$n t/fuzz/corpus/$$n || exit 1; done


.PHONY: package
package: ## build the Debian packages of what is committed
	@rm -rf build/package && mkdir -p build/package/source
	@git archive HEAD | tar -x -C build/package/source
	cd build/package/source && dpkg-buildpackage -us -uc -b
	@ls build/package/*.deb

.PHONY: clean
clean: ## remove what was built
	rm -rf build
