## Check

.PHONY: check
check: layers format lint unit ## check layers, format, lint and unit tests

.PHONY: layers
layers: $(OUT)/lint/contract $(OUT)/lint/reader ## check includes and links against the table of rooms
	@scripts/check-layers

# each archive links whole with nothing but what its rooms may use
$(OUT)/lint/contract: $(CONTRACT_LIB)
	$(call link_whole,$(CONTRACT_LIB),$(CONTRACT_LIBS))

$(OUT)/lint/reader: $(READER_LIB) $(CONTRACT_LIB)
	$(call link_whole,$(READER_LIB),$(CONTRACT_LIB) $(READER_LIBS))

define link_whole
@mkdir -p $(@D)
$(call say,LD)
$(Q)echo 'int main(void) { return 0; }' | $(CC) $(KTP_LDFLAGS) -o $@ -x c - \
	-x none -Wl,--whole-archive $(1) -Wl,--no-whole-archive $(2)
endef

.PHONY: format
format: ## check the layout of sources by clang-format
	@find *.c src t bench train -name '*.[ch]' 2> /dev/null \
		| xargs -r clang-format --dry-run -Werror

LINT_CPPCHECK := cppcheck --quiet --std=c11 \
                 --enable=warning,performance,portability --inline-suppr \
                 --error-exitcode=1 --suppress=missingIncludeSystem

.PHONY: lint
lint: lint-gateway lint-unused ## run compilers and cppcheck, find functions nobody calls
	@scripts/gen-regions --check
	@$(LINT_CPPCHECK) $(CONTRACT_INCS) \
		-i src/reader/ocr/ktpr_digit_weights.c \
		-i src/reader/ocr/ktpr_line_weights.c \
		src/contract src/reader src/extractd src/extract
	@$(LINT_CPPCHECK) $(CONTRACT_INCS) $(call incs,src/gateway) \
		$(GATEWAY_SRCS)

# each source of the gateway by two compilers, with nginx's flags and folders
# and, of ours, those that the row of its room allows; by the second as for an
# nginx without --with-debug
LINT_GATEWAY := $(GATEWAY_SRCS:%.c=$(OUT)/lint/%.ok)
LINT_CFLAGS   = $(NGX_CFLAGS) $(NGX_INCS) $(room_incs) -fsyntax-only

.PHONY: lint-gateway
lint-gateway: $(LINT_GATEWAY)

$(OUT)/lint/%.ok: %.c $(NGX_OBJS)/Makefile scripts/check-layers
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(LINT_CFLAGS) -MMD -MP -MF $(@:.ok=.d) -MT $@ $<
	$(Q)$(CLANG) $(LINT_CFLAGS) -DNGX_DEBUG=0 -Wconditional-uninitialized $<
	@touch $@

# their headers are written by nginx's Makefile
$(OUT)/lint/src/gateway/console/ngx_http_ktp_console.ok \
$(OUT)/lint/src/gateway/fleet/ngx_http_ktp_fleet_breaker.ok \
$(OUT)/lint/src/gateway/fleet/ngx_http_ktp_fleet_flight.ok \
$(OUT)/lint/src/gateway/fleet/ngx_http_ktp_fleet_forget.ok \
$(OUT)/lint/src/gateway/fleet/ngx_http_ktp_fleet_lease.ok \
$(OUT)/lint/src/gateway/fleet/ngx_http_ktp_fleet_rate.ok: | $(MODULE)

# everything in one program with three roots: functions that none of them
# reaches are what the linker drops
.PHONY: lint-unused
lint-unused: module $(EXTRACTD_OBJS) $(EXTRACT_OBJS) $(READER_LIB) \
		$(CONTRACT_LIB)
	@mkdir -p $(OUT)/lint
	@objcopy --redefine-sym main=ktpx_main \
		$(OUT)/obj/src/extract/ktp_extract.o $(OUT)/lint/ktp_extract.o
	@$(CC) $(KTP_LDFLAGS) -o $(OUT)/lint/everything $(GATEWAY_OBJS) \
		$(EXTRACTD_OBJS) $(filter-out %/ktp_extract.o,$(EXTRACT_OBJS)) \
		$(OUT)/lint/ktp_extract.o -Wl,--whole-archive $(READER_LIB) \
		$(CONTRACT_LIB) -Wl,--no-whole-archive $(EXTRACTD_LIBS) -lcurl -lssl \
		-Wl,--gc-sections,--print-gc-sections,--unresolved-symbols=ignore-all \
		-Wl,-u,ngx_http_ktp_module,-u,ktpx_main 2> $(OUT)/lint/unused \
		|| { tail $(OUT)/lint/unused; exit 1; }
	@scripts/check-unused $(OUT)/lint/unused
