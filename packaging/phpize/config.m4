dnl Lets phpize, configure and make build the extension: cargo does the work, in the workspace two levels up.
PHP_ARG_ENABLE([rotor], [whether to enable rotor], [AS_HELP_STRING([--enable-rotor], [Enable rotor])], [yes])

if test "$PHP_ROTOR" != "no"; then
  AC_PATH_PROG([CARGO], [cargo], [no], [$PATH:$HOME/.cargo/bin])
  if test "$CARGO" = "no"; then
    AC_MSG_ERROR([cargo is needed to build rotor: see https://rustup.rs])
  fi
  PHP_SUBST([CARGO])
  dnl PHP_CONFIG may be a bare name; cargo's build scripts want a path.
  AC_PATH_PROG([ROTOR_PHP_CONFIG], [$PHP_CONFIG])
  PHP_SUBST([ROTOR_PHP_CONFIG])
  PHP_MODULES="$PHP_MODULES \$(phplibdir)/rotor.so"
  PHP_SUBST([PHP_MODULES])
  PHP_ADD_MAKEFILE_FRAGMENT([$abs_srcdir/Makefile.frag])
fi
