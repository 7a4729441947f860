# The reader of cards, in an archive; it uses the contract's.

READER_PKGS := tesseract lept libjpeg spng
READER_SRCS := $(wildcard src/reader/*.c src/reader/*/*.c)
READER_OBJS := $(READER_SRCS:%.c=$(OUT)/obj/%.o) \
               $(OUT)/obj/ktpr_gazetteer_table.o
READER_INCS := $(call incs,src/reader)
READER_LIB  := $(OUT)/libktp_reader.a

# all regions of Indonesia, down to villages, as a table in the program
build/ktpr_gazetteer_table.c: data/wilayah.tsv data/former.tsv \
		scripts/make-regions
	@mkdir -p $(@D)
	@scripts/make-regions $< data/former.tsv > $@.$$$$ && mv $@.$$$$ $@

$(OUT)/obj/ktpr_gazetteer_table.o: build/ktpr_gazetteer_table.c \
		src/reader/words/ktpr_gazetteer.h $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(KTP_CFLAGS) \
		$(shell scripts/check-layers --includes reader/words) -c -o $@ $<

READER_PKG_CFLAGS := $(shell pkg-config --cflags $(READER_PKGS))
READER_LIBS       := $(shell pkg-config --libs $(READER_PKGS)) $(CONTRACT_LIBS) \
                     -lgomp -lpthread -lm

# for what is outside the rooms: tests and benchmarks
READER_CFLAGS = $(KTP_CFLAGS) $(READER_PKG_CFLAGS) $(CONTRACT_INCS) \
                $(READER_INCS)

$(OUT)/obj/src/reader/%.o: src/reader/%.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(KTP_CFLAGS) $(READER_PKG_CFLAGS) $(room_incs) -MMD -MP -c \
		-o $@ $<

$(READER_LIB): $(READER_OBJS)
	$(archive)
