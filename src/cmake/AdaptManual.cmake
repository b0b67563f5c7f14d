# Manual pages and bash completion, written after each build from what the program says of itself, and installed:
# adapt_add_manual(program). Where there is no Python, or where the program cannot run (cross compiling), there are none.

find_program(ADAPT_MANUAL_PYTHON NAMES python3)

function(adapt_add_manual program)
  if(NOT ADAPT_MANUAL_PYTHON OR CMAKE_CROSSCOMPILING)
    message(STATUS "No manual pages and no bash completion: they need Python and a program that runs here")
    return()
  endif()
  set(scripts "${CMAKE_SOURCE_DIR}/src/cmake/manual")
  set(folder "${CMAKE_BINARY_DIR}/manual")
  file(GLOB sources CONFIGURE_DEPENDS "${scripts}/*.py" "${scripts}/*.bash")
  add_custom_command(OUTPUT "${folder}/completions/adapt"
    COMMAND ${ADAPT_MANUAL_PYTHON} -B "${scripts}/write.py" $<TARGET_FILE:${program}> "${folder}"
    DEPENDS ${program} ${sources}
    COMMENT "Writing manual pages and bash completion"
    VERBATIM)
  add_custom_target(${program}_manual ALL DEPENDS "${folder}/completions/adapt")
  install(DIRECTORY "${folder}/man1" DESTINATION "${CMAKE_INSTALL_MANDIR}")
  install(FILES "${folder}/completions/adapt" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
endfunction()
