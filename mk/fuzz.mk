## Fuzz

# clang's libFuzzer over the contract

FUZZ_SECONDS ?= 60
FUZZ_TARGETS := $(patsubst t/fuzz/%.c,build/fuzz/%,$(wildcard t/fuzz/fuzz_*.c))
FUZZ_OBJS    := $(CONTRACT_SRCS:%.c=build/fuzz/obj/%.o)
FUZZ_CFLAGS  := -std=gnu11 -D_GNU_SOURCE -g -O1 -fno-omit-frame-pointer \
                -fsanitize=fuzzer,address,undefined \
                -fno-sanitize-recover=undefined

build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) $(CONTRACT_INCS) -MMD -MP -c -o $@ $<

build/fuzz/libktp_contract.a: $(FUZZ_OBJS)
	$(archive)

build/fuzz/%: t/fuzz/%.c build/fuzz/libktp_contract.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) $(CONTRACT_INCS) -MMD -MP -MF $@.d -o $@ $< \
		build/fuzz/libktp_contract.a $(CONTRACT_LIBS)

.SECONDARY: $(FUZZ_OBJS)

.PHONY: fuzz-build
fuzz-build: $(FUZZ_TARGETS)

$(OUT)/make_seeds: t/fuzz/make_seeds.c $(CONTRACT_LIB) \
		$(wildcard t/contract/*.h)
	$(call say,LD)
	$(Q)$(CC) $(KTP_CFLAGS) $(CONTRACT_INCS) -o $@ $< $(CONTRACT_LIB) \
		$(CONTRACT_LIBS)

.PHONY: fuzz-seeds
fuzz-seeds: $(OUT)/make_seeds ## write the fuzzers' seeds from the unit cases
	@rm -rf t/fuzz/corpus/fuzz_json t/fuzz/corpus/fuzz_multipart \
		t/fuzz/corpus/fuzz_base64 t/fuzz/corpus/fuzz_probe \
		t/fuzz/corpus/fuzz_intake t/fuzz/corpus/fuzz_strip
	@$< t/fuzz/corpus

.PHONY: fuzz
fuzz: $(FUZZ_TARGETS) ## fuzz each target for FUZZ_SECONDS (60)
	@for t in $(FUZZ_TARGETS); do n=$$(basename $$t); echo "# $$n"; \
		mkdir -p build/fuzz/new/$$n; \
		$$t -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -verbosity=0 \
		-print_final_stats=1 -artifact_prefix=build/fuzz/$$n- \
		build/fuzz/new/$$n t/fuzz/corpus/$$n || exit 1; done
