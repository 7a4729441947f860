# Flags and output folder of each build variant.

OUT_release  := build
OUT_debug    := build/debug
OUT_asan     := build/asan
OUT_coverage := build/coverage
OUT          := $(OUT_$(VARIANT))
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

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Wpointer-arith -Wvla

# a section for each function, so that "make lint" can tell which is not called
SECTIONS := -ffunction-sections -fdata-sections

# CPPFLAGS, CFLAGS and LDFLAGS of the environment, such as a distribution's,
# come after ours.  _FORTIFY_SOURCE needs an optimizing build.
KTP_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fstack-protector-strong $(SECTIONS) \
              -D_FILE_OFFSET_BITS=64 $(WARN) $(OPT) $(CPPFLAGS) $(CFLAGS)
ifneq ($(VARIANT),release)
KTP_CFLAGS += -U_FORTIFY_SOURCE
else ifeq ($(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),)
KTP_CFLAGS += -D_FORTIFY_SOURCE=2
endif

KTP_LDFLAGS := $(OPT) -Wl,-z,relro,-z,now $(CFLAGS) $(LDFLAGS)

# written anew only when a flag has changed; objects depend on it
FLAGS := $(OUT)/flags
$(FLAGS): FORCE
	@mkdir -p $(@D)
	@echo '$(KTP_CFLAGS) $(KTP_LDFLAGS)' | cmp -s - $@ \
		|| echo '$(KTP_CFLAGS) $(KTP_LDFLAGS)' > $@

# the folders below $(1) that have headers, as -I flags
incs = $(addprefix -I,$(sort $(patsubst %/,%,$(dir $(wildcard $(1)/*.h \
       $(1)/*/*.h)))))

# the -I flags of the room that the source of the rule is in
room_incs = $(shell scripts/check-layers --includes \
            $(or $(patsubst src/%/,%,$(filter src/%,$(dir $<))),module))

# "make V=1" shows the commands
Q   := $(if $(filter 1,$(V)),,@)
say  = $(if $(Q),@printf '  %-3s %s\n' $(1) $@)

# an archive without members that are gone
define archive
$(call say,AR)
@rm -f $@
$(Q)$(AR) rcs $@ $^
endef
