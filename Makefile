# ngx_http_ktp: "make help" lists the targets.

NGINX_SRC ?= /usr/share/nginx/src
VARIANT   ?= release
CLANG     ?= clang

ROOT := $(CURDIR)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' ' \
		/^## / { printf "\n%s\n", substr($$0, 4) } \
		/^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)
	@printf '\nVariables\n'
	@printf '  %-19s %s\n' \
		VARIANT=NAME 'build release (default), debug, asan or coverage' \
		V=1 'show the commands' \
		NGINX_SRC=DIR 'source of nginx ($(NGINX_SRC))' \
		'CFLAGS, LDFLAGS' 'added to our flags of the extractor'

.PHONY: build
include mk/variant.mk
include mk/module.mk
include mk/contract.mk
include mk/reader.mk
include mk/extractor.mk
include mk/check.mk
include mk/test.mk
include mk/fuzz.mk
include mk/bench.mk
include mk/train.mk
include mk/package.mk

-include $(shell find build -path build/package -prune -o -name '*.d' -type f -print \
           2> /dev/null)
