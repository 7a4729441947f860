## Check

.PHONY: check
check: layers format lint unit ## check layers, format, lint and unit tests

.PHONY: layers
layers: ## check that arrows between layers point one way
	@scripts/check-layers

.PHONY: format
format: ## check the formatter's layout
	@find *.c src t bench train -name '*.[ch]' 2> /dev/null \
		| xargs -r clang-format --dry-run -Werror

.PHONY: lint
lint: ## run the linter
	@scripts/gen-regions --check
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability \
		--inline-suppr --error-exitcode=1 $(CONTRACT_INCS) \
		-i src/reader/ocr/ktpr_digit_weights.c \
		-i src/reader/ocr/ktpr_line_weights.c \
		--suppress=missingIncludeSystem src/contract src/reader \
		src/extractd src/extract
