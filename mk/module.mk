## Build

build: module extractor ## build the module and the extractor

.PHONY: module
module: $(OUT)/ngx_http_ktp_module.so ## build the nginx module

# The module is built by nginx's own build, from the distribution's headers.

MODULE   := $(OUT)/ngx_http_ktp_module.so
NGX_OBJS := $(OUT)/nginx

GATEWAY_SRCS := ngx_http_ktp_module.c $(wildcard src/gateway/*.c \
                src/gateway/*/*.c)

# nginx names a folder of objects after the last folder of the source
GATEWAY_OBJS := $(foreach f,$(abspath $(GATEWAY_SRCS)),$(NGX_OBJS)/addon/$(notdir \
                $(patsubst %/,%,$(dir $f)))/$(notdir $(f:.c=.o)))

# nginx's own flags and folders, as its configure chose them; read once
NGX_CFLAGS = $(eval NGX_CFLAGS := $(shell sed -n 's/^CFLAGS = *//p' \
             $(NGX_OBJS)/Makefile))$(NGX_CFLAGS)
NGX_INCS   = $(eval NGX_INCS := $(shell sed -n \
             '/^ALL_INCS/,/^$$/ s/.*-I \([^ ]*\).*/\1/p' $(NGX_OBJS)/Makefile \
             | grep -v '^$(ROOT)/src/' \
             | sed 's|^[^/]|$(NGINX_SRC)/&|; s/^/-I/'))$(NGX_INCS)

NGX_SOURCES := $(wildcard src/contract/*.[ch] src/contract/*/*.[ch] \
               src/gateway/*.[ch] src/gateway/*/*.[ch])

# written anew only when a file has come or gone, or a flag has changed
$(NGX_OBJS)/sources: FORCE
	@mkdir -p $(NGX_OBJS)
	@echo $(NGX_SOURCES) $(NGX_ADD_$(VARIANT)) | cmp -s - $@ \
		|| echo $(NGX_SOURCES) $(NGX_ADD_$(VARIANT)) > $@

$(NGX_OBJS)/Makefile: config config.make scripts/configure-nginx \
		$(wildcard $(NGINX_SRC)/conf_flags) $(NGX_OBJS)/sources
	@echo "configuring nginx's build for the module ($(VARIANT))"
	@scripts/configure-nginx $(NGINX_SRC) $(ROOT)/$(NGX_OBJS) \
		> $(ROOT)/$(NGX_OBJS)/configure.log 2>&1 \
		|| { tail -n 12 $(ROOT)/$(NGX_OBJS)/configure.log; \
		rm -f $(ROOT)/$(NGX_OBJS)/Makefile; exit 1; }
	@touch $@

# what a variant adds goes to make, not to configure: the feature tests of
# configure must not run under a sanitizer
NGX_ADD_release  := $(SECTIONS)
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
