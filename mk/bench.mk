## Measure the gateway

# beside what a user would have instead

BENCH_LOAD := $(OUT)/bench/sink $(OUT)/bench/load

$(BENCH_LOAD): $(OUT)/bench/%: bench/gateway/%.c
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(KTP_CFLAGS) -o $@ $< -lssl -lcrypto

.PHONY: bench
bench: ## CPU time of a call, beside other gateways; QUICK=1: a short run
	@scripts/install-deps bench
	@$(MAKE) --no-print-directory bench-gateway
	@bench/gateway/run $(if $(QUICK),-q)

# the contract alone, on files and against the clock

BENCH_CONTRACT := $(OUT)/bench/ktp_intake $(OUT)/bench/intake_bench \
                  $(OUT)/bench/answer_bench $(OUT)/bench/cpu_bench

$(BENCH_CONTRACT): $(OUT)/bench/%: bench/gateway/%.c $(CONTRACT_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(KTP_CFLAGS) $(CONTRACT_INCS) -MMD -MP -MF $@.d -o $@ $< \
		$(CONTRACT_LIB) $(CONTRACT_LIBS) -lcrypto -lz

.PHONY: bench-cpu
bench-cpu: $(OUT)/bench/cpu_bench ## what each vector technique buys
	@$<

.PHONY: bench-intake
bench-intake: $(OUT)/bench/intake_bench ## bytes per CPU second of each kind of request body
	@$<

# the module's own object, with the least of nginx around it
$(OUT)/bench/counters_bench: bench/gateway/counters_bench.c $(MODULE) \
		$(CONTRACT_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(OPT) -D_GNU_SOURCE -Wall $(NGX_INCS) \
		$(call incs,src/gateway) $(CONTRACT_INCS) -MMD -MP -MF $@.d -o $@ $< \
		$(NGX_OBJS)/addon/shared/ngx_http_ktp_metrics.o \
		$(NGX_OBJS)/addon/gateway/ngx_http_ktp_process.o \
		$(CONTRACT_LIB) $(CONTRACT_LIBS) -lpthread

.PHONY: bench-answer
bench-answer: $(OUT)/bench/answer_bench $(OUT)/bench/counters_bench ## CPU time of rewriting answers and of counters
	@$(OUT)/bench/answer_bench
	@$(OUT)/bench/counters_bench

.PHONY: bench-gateway bench-build
bench-build: bench-gateway bench-reader ## build all benchmarks, of both

bench-gateway: module $(BENCH_LOAD) $(BENCH_CONTRACT) \
		$(OUT)/bench/counters_bench

## Measure the reader

# on labelled images

BENCH_READER := $(addprefix $(OUT)/bench/,accuracy quality corners damage checks)
MEASURE_SRCS := bench/reader/specimens.c bench/reader/truth_json.c \
                src/extract/ktpx_file.c

$(BENCH_READER): $(OUT)/bench/%: bench/reader/%.c $(MEASURE_SRCS) \
		$(READER_LIB) $(CONTRACT_LIB)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(READER_CFLAGS) -Ibench/reader -Isrc/extract -MMD -MP -MF $@.d -o $@ $< \
		$(MEASURE_SRCS) $(READER_LIB) $(CONTRACT_LIB) $(READER_LIBS)

.PHONY: bench-reader
bench-reader: $(BENCH_READER)

.PHONY: accuracy
accuracy: $(OUT)/bench/accuracy ## fields and NIKs read on SET, a folder; N=4: every 4th image
	@$< $(if $(N),-n $(N)) $(if $(V),-v) $(SET)

# sets that have labelled images in folders below them
EVALUATE = scripts/ktp-evaluate -e $(OUT)/ktp-extract -j $(or $(J),2)

.PHONY: calibration
calibration: $(OUT)/ktp-extract ## confidences against right values, and coverage, on SET
	@$(EVALUATE) --bins $(SET)

.PHONY: calibrate
calibrate: $(OUT)/ktp-extract ## make the table of confidences from SET, folders that nothing was tuned on
	@$(EVALUATE) --table $(SET) > build/ktpr_confidence_table.h
	mv build/ktpr_confidence_table.h src/reader/card/ktpr_confidence_table.h

.PHONY: sensitivity
sensitivity: $(OUT)/bench/accuracy ## fields right with each number of FILE 20 % off, on SET
	@bench/reader/sensitivity $(if $(N),-n $(N)) $(addprefix -s ,$(SET)) $(FILE)

# the same program with SOURCE in place of a file of folder ORIGINAL, which is
# left out of the archive since nothing asks for it
.PHONY: accuracy-with
accuracy-with: $(READER_LIB) $(CONTRACT_LIB)
	$(Q)$(CC) $(READER_CFLAGS) -I$(ORIGINAL) -Ibench/reader -Isrc/extract \
		-o $(PROGRAM) bench/reader/accuracy.c $(MEASURE_SRCS) $(SOURCE) \
		$(READER_LIB) $(CONTRACT_LIB) $(READER_LIBS)

.PHONY: quality
quality: $(OUT)/bench/quality ## quality measures and their thresholds, on SET; CHECK=1: of checks
	@$< $(if $(CHECK),-c) $(if $(V),-v) $(SET)

.PHONY: corners
corners: $(OUT)/bench/corners ## how often the card's corners are found, on SET
	@$< $(if $(V),-v) $(SET)

.PHONY: checks
checks: $(OUT)/bench/checks ## checks beside readings: detection, flags and CPU time, on SET
	@$< $(if $(N),-n $(N)) $(if $(V),-v) $(SET)

.PHONY: damage
damage: $(OUT)/bench/damage ## robustness against N damaged images of SET
	@$< $(or $(N),200) $(SET) $(SEED)
