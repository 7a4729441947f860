## Train

TRAIN_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARN) -O3 -march=native \
                -ffast-math -Isrc/reader/ocr -Isrc/contract/base

# The weights are in the tree; this makes them again, from typefaces that
# FONTS names as WEIGHT:FILE (see docs/accuracy.md).
build/train/train_digits: train/train_digits.c \
		src/reader/ocr/ktpr_digit_net.c src/reader/ocr/ktpr_digit_weights.c \
		src/reader/ocr/ktpr_digit_net.h \
		src/reader/ocr/ktpr_digit_weights.h
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(TRAIN_CFLAGS) $(shell pkg-config --cflags freetype2) -o $@ \
		$(filter %.c,$^) $(shell pkg-config --libs freetype2) -lm

.PHONY: digit-weights
digit-weights: build/train/train_digits ## train the reader of digits on FONTS
	nice $< 1500000 $(FONTS) > build/ktpr_digit_weights.c
	mv build/ktpr_digit_weights.c src/reader/ocr/ktpr_digit_weights.c

# Likewise for lines, from the typefaces that train/line_fonts names; the
# training goes on where STATE left off.
build/line_drawer.so: train/line_drawer.c src/contract/base/ktp_cpu.c \
		src/reader/ocr/ktpr_line_net.c \
		src/reader/ocr/ktpr_line_weights.c src/reader/ocr/ktpr_line_net.h \
		src/reader/ocr/ktpr_line_net_sums.h \
		src/reader/ocr/ktpr_line_weights.h
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(TRAIN_CFLAGS) -shared -fPIC \
		$(shell pkg-config --cflags freetype2 libturbojpeg) -o $@ \
		$(filter %.c,$^) $(shell pkg-config --libs freetype2 libturbojpeg) -lm

LINE_STATE   ?= build/lines.state
LINE_MINUTES ?= 90

.PHONY: line-weights
line-weights: build/line_drawer.so ## train the reader of lines, LINE_MINUTES long
	nice train/train_lines.py train $(LINE_STATE) $(LINE_MINUTES) \
		train/line_fonts
	train/train_lines.py write $(LINE_STATE) > build/ktpr_line_weights.c
	mv build/ktpr_line_weights.c src/reader/ocr/ktpr_line_weights.c
