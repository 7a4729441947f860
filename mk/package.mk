## Package

VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
DIST    := ngx_http_ktp-$(VERSION)

.PHONY: package
package: ## build the Debian packages of what is committed
	@rm -rf build/package && mkdir -p build/package/source
	@git archive HEAD | tar -x -C build/package/source
	cd build/package/source && dpkg-buildpackage -us -uc -b
	@ls build/package/*.deb

.PHONY: dist
dist: ## make a source archive of what is committed
	@mkdir -p build
	git archive --prefix=$(DIST)/ HEAD | gzip -9n > build/$(DIST).tar.gz
	@ls build/$(DIST).tar.gz

.PHONY: sbom
sbom: build specimen ## list the libraries that are linked, as CycloneDX
	scripts/sbom $(VERSION) $(OUT)/ngx_http_ktp_module.so \
		$(OUT)/ktp-extractd $(OUT)/ktp-extract build/ktp-specimen \
		> build/$(DIST).cdx.json
	@ls build/$(DIST).cdx.json

.PHONY: clean
clean: ## remove what was built
	rm -rf build
