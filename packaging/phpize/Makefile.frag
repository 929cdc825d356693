ROTOR_ROOT = $(top_srcdir)/../..

$(phplibdir)/rotor.so: rotor-cargo-build
	@mkdir -p $(phplibdir) && cp $(ROTOR_ROOT)/target/release/librotor.so $@

# cargo decides what is out of date. The target directory is named, whatever the environment says.
rotor-cargo-build:
	cd $(ROTOR_ROOT) && PHP=$(PHP_EXECUTABLE) PHP_CONFIG=$(ROTOR_PHP_CONFIG) $(CARGO) build --release --locked -p rotor --target-dir target

.PHONY: rotor-cargo-build
