## Package

.PHONY: package
package: ## build the Debian packages of what is committed
	@rm -rf build/package && mkdir -p build/package/source
	@git archive HEAD | tar -x -C build/package/source
	cd build/package/source && dpkg-buildpackage -us -uc -b
	@ls build/package/*.deb

.PHONY: clean
clean: ## remove what was built
	rm -rf build
