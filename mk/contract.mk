# The contract: plain C, in an archive.

CONTRACT_SRCS := $(wildcard src/contract/*.c src/contract/*/*.c)
CONTRACT_OBJS := $(CONTRACT_SRCS:%.c=$(OUT)/obj/%.o)
CONTRACT_INCS := $(call incs,src/contract)
CONTRACT_LIB  := $(OUT)/libktp_contract.a
CONTRACT_LIBS := -lyajl

$(OUT)/obj/src/contract/%.o: src/contract/%.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(KTP_CFLAGS) -fPIC $(room_incs) -MMD -MP -c -o $@ $<

$(CONTRACT_LIB): $(CONTRACT_OBJS)
	$(archive)
