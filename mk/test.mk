## Test

UNIT_CONTRACT := $(patsubst t/contract/%.c,$(OUT)/unit/contract/%,$(wildcard \
                 t/contract/test_*.c))
UNIT_READER   := $(patsubst t/reader/%.c,$(OUT)/unit/reader/%,$(wildcard \
                 t/reader/test_*.c))
UNIT_EXTRACTD := $(patsubst t/extractd/%.c,$(OUT)/unit/extractd/%,$(wildcard \
                 t/extractd/test_*.c))
UNIT_TESTS    := $(UNIT_CONTRACT) $(UNIT_READER) $(UNIT_EXTRACTD)

$(OUT)/unit/contract/%: t/contract/%.c $(CONTRACT_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(KTP_CFLAGS) $(CONTRACT_INCS) -It/contract -MMD -MP -MF $@.d \
		-o $@ $< $(CONTRACT_LIB) -lcmocka $(CONTRACT_LIBS)

# the tests of memory make allocations fail
$(OUT)/unit/contract/test_memory: CONTRACT_LIBS += -Wl,--wrap=malloc \
	-Wl,--wrap=calloc -Wl,--wrap=realloc

$(OUT)/unit/reader/%: t/reader/%.c $(READER_LIB) $(CONTRACT_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(READER_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(READER_LIB) \
		$(CONTRACT_LIB) -lcmocka $(READER_LIBS) -lturbojpeg -ljpeg

$(OUT)/unit/reader/test_memory: READER_LIBS += -Wl,--wrap=ktpr_pool_alloc

$(OUT)/unit/extractd/%: t/extractd/%.c $(EXTRACTD_PARTS) $(READER_LIB) \
		$(CONTRACT_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(READER_CFLAGS) -Isrc/extractd -MMD -MP -MF $@.d -o $@ $< \
		$(EXTRACTD_PARTS) $(READER_LIB) $(CONTRACT_LIB) -lcmocka \
		$(EXTRACTD_LIBS)

# and a program of the suite, which two of its files need at a time
.PHONY: unit-build
unit-build: $(UNIT_TESTS) $(OUT)/unit/contract/answer_rewrite

.PHONY: unit-list
unit-list:
	@echo $(UNIT_TESTS)

.PHONY: unit
unit: $(UNIT_TESTS) ## run the unit tests
	@for t in $(UNIT_TESTS); do echo "# $$t"; ./$$t || exit 1; done

# "make test T=t/auth.t": some files of the suite, on a build that is there
.PHONY: test
ifeq ($(T),)
test: ## run everything (scripts/test); T="FILE...": only these of t/*.t
	@scripts/test
else
test: build specimen
	@KTP_VARIANT=$(VARIANT) prove $(T)
endif

# what has no nginx of ours is left out
VALGRIND_TESTS = $(filter-out t/demo.t t/extractd%.t t/ktp-ex%.t t/ktp-evaluate.t \
                 t/reference.t t/reconcile.t t/ktp-key.t t/fleet-lease%.t \
                 t/fleet-flight.t, \
                 $(wildcard t/*.t))

.PHONY: valgrind
valgrind: module ## run t/*.t with nginx under valgrind; T="FILE...": only these
	@scripts/install-deps valgrind
	@TEST_NGINX_USE_VALGRIND=1 scripts/run-tap build/valgrind.tally \
		$(or $(T),$(VALGRIND_TESTS))
