#!/usr/bin/env bash
# From a bare Debian machine to adapt_VERSION_ARCHITECTURE.deb in build/package, which lintian finds no error in.
# Exit code: 0 packed, 1 something failed, 2 packages are missing and cannot be installed.
set -euo pipefail

# shellcheck source=experiments/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../experiments/packages.sh"
cd "$ADAPT_ROOT"

adapt_install_packages lintian
cmake -B build/package -G Ninja -D CMAKE_BUILD_TYPE=Release -D ADAPT_TESTS=OFF
cmake --build build/package --parallel "$(nproc)"
cd build/package
rm -f adapt_*.deb
# Lintian wants an address that could be written to.
cpack -G DEB -D CPACK_PACKAGE_CONTACT="Nobody <nobody@example.org>"
lintian --fail-on error --allow-root adapt_*.deb
