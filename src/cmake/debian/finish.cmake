# Run by cpack on what it has installed, before it is packed: what Debian's policy wants besides.

set(root "${CPACK_TEMPORARY_DIRECTORY}/usr/share")
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  set(now "$ENV{SOURCE_DATE_EPOCH}")
else()
  string(TIMESTAMP now "%s" UTC)
endif()
execute_process(COMMAND date -u -R -d "@${now}" OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
file(WRITE "${root}/doc/adapt/changelog" "adapt (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Packed by cpack; what has changed stands in CHANGELOG.md.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
file(WRITE "${root}/doc/adapt/copyright" "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: adapt

Files: *
Copyright: 2026 The adapt developers
License: Apache-2.0
 On Debian systems the text of the Apache License 2.0 is in
 /usr/share/common-licenses/Apache-2.0.
")
file(REMOVE "${root}/doc/adapt/LICENSE")
file(GLOB pages "${root}/man/man1/*.1")
execute_process(COMMAND gzip -9n "${root}/doc/adapt/changelog" ${pages} COMMAND_ERROR_IS_FATAL ANY)
