# Provenance of the build: adapt_add_build_info(target) gives the target's sources "record/build_info.hpp". It is made
# anew by every build, because the git commit is not known to the build tool, and rewritten only when it changes.

function(adapt_add_build_info target)
  set(folder "${CMAKE_BINARY_DIR}/generated")
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  get_target_property(options adapt_options INTERFACE_COMPILE_OPTIONS)
  list(JOIN options " " options)
  string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}} ${options}" flags)
  add_custom_target(${target}_build_info
    COMMAND ${CMAKE_COMMAND} "-DSOURCE=${CMAKE_SOURCE_DIR}" "-DVERSION=${PROJECT_VERSION}"
            "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}" "-DFLAGS=${flags}"
            "-DBUILD_TYPE=${CMAKE_BUILD_TYPE}" "-DTEMPLATE=${CMAKE_SOURCE_DIR}/src/cmake/build_info.hpp.in"
            "-DHEADER=${folder}/record/build_info.hpp" -P "${CMAKE_SOURCE_DIR}/src/cmake/WriteBuildInfo.cmake"
    BYPRODUCTS "${folder}/record/build_info.hpp"
    COMMENT "Looking up the git commit"
    VERBATIM)
  add_dependencies(${target} ${target}_build_info)
  target_include_directories(${target} PRIVATE "${folder}")
endfunction()
