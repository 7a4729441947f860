# The two programs: the daemon and the command.

.PHONY: extractor
extractor: $(OUT)/ktp-extract $(OUT)/ktp-extractd ## build the local extractor

EXTRACTD_PKGS := libmicrohttpd libseccomp
EXTRACTD_SRCS := $(wildcard src/extractd/*.c)
EXTRACTD_OBJS := $(EXTRACTD_SRCS:%.c=$(OUT)/obj/%.o)
EXTRACT_OBJS  := $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard src/extract/*.c))

# what the tests of the daemon link: all but main()
EXTRACTD_PARTS := $(filter-out %/ktp_extractd.o,$(EXTRACTD_OBJS))

EXTRACTD_PKG_CFLAGS := $(shell pkg-config --cflags $(EXTRACTD_PKGS))
EXTRACTD_LIBS := $(shell pkg-config --libs $(EXTRACTD_PKGS)) $(READER_LIBS) \
                 -lcrypto

$(OUT)/obj/src/extractd/%.o: src/extractd/%.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(KTP_CFLAGS) $(EXTRACTD_PKG_CFLAGS) $(room_incs) -MMD -MP -c \
		-o $@ $<

$(OUT)/obj/src/extract/%.o: src/extract/%.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(KTP_CFLAGS) $(READER_PKG_CFLAGS) $(room_incs) -MMD -MP -c \
		-o $@ $<

$(OUT)/ktp-extract: $(EXTRACT_OBJS) $(READER_LIB) $(CONTRACT_LIB)
	$(call say,LD)
	$(Q)$(CC) $(KTP_LDFLAGS) -o $@ $^ $(READER_LIBS)

$(OUT)/ktp-extractd: $(EXTRACTD_OBJS) $(READER_LIB) $(CONTRACT_LIB)
	$(call say,LD)
	$(Q)$(CC) $(KTP_LDFLAGS) -o $@ $^ $(EXTRACTD_LIBS)

# the drawing program of the demo and the tests: one for all variants

SPECIMEN_CFLAGS  := -std=gnu11 -D_GNU_SOURCE -fstack-protector-strong $(WARN) \
                    $(OPT_release) $(CPPFLAGS) $(CFLAGS)
SPECIMEN_LDFLAGS := $(OPT_release) -Wl,-z,relro,-z,now $(CFLAGS) $(LDFLAGS)

SPECIMEN_PKGS := pangocairo cairo libturbojpeg
SPECIMEN_OBJS := $(patsubst %.c,build/obj/%.o,$(wildcard t/specimen/*.c))

build/obj/t/specimen/%.o: t/specimen/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(SPECIMEN_CFLAGS) -It/specimen -MMD -MP \
		$(shell pkg-config --cflags $(SPECIMEN_PKGS)) -c -o $@ $<

build/ktp-specimen: $(SPECIMEN_OBJS)
	$(call say,LD)
	$(Q)$(CC) $(SPECIMEN_LDFLAGS) -o $@ $^ \
		$(shell pkg-config --libs $(SPECIMEN_PKGS)) -lyajl -lm

.PHONY: specimen
specimen: build/ktp-specimen ## build the program that draws specimen cards

.PHONY: demo
demo: ## set up, build and show everything (scripts/demo)
	@scripts/demo
