# `cpack -G DEB` in the build folder: adapt_VERSION_ARCHITECTURE.deb. What the program is linked to, dpkg-shlibdeps finds out.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME adapt)
# Who packs has an address: cpack -G DEB -D CPACK_PACKAGE_CONTACT="Name <address>"
set(CPACK_PACKAGE_CONTACT "The adapt developers <adapt@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What starts ranks, and what the scripts of analysis/ import.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "openmpi-bin, python3, python3-h5py, python3-numpy, python3-matplotlib, python3-scipy, python3-yaml")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "train networks in adaptive fixed point on MPI ranks")
set(CPACK_PACKAGE_DESCRIPTION
    "Trains neural networks whose layers are fixed-point numbers, each with a
format of its own that changes while the network learns, on any number of
MPI ranks, with results that do not depend on how many there are.")
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_SOURCE_DIR}/src/cmake/debian/finish.cmake")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${CMAKE_SOURCE_DIR}/src/cmake/debian/prerm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
