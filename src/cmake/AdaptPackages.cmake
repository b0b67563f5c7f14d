# Finds every package, and says in one message how to get the ones that are missing.
# The interface target adapt_packages carries them.

set(adapt_missing "")

macro(adapt_find name debian)
  find_package(${name} ${ARGN} QUIET)
  if(NOT ${name}_FOUND)
    list(APPEND adapt_missing "${name} (Debian: ${debian})")
  endif()
endmacro()

adapt_find(MPI libopenmpi-dev COMPONENTS C)
# Where oneDNN was built with its OpenCL runtime, its CMake files stop without a word of help when OpenCL is missing.
find_path(ADAPT_DNNL_WITH_OPENCL FindOpenCL.cmake PATHS ${CMAKE_PREFIX_PATH} /usr /usr/local
          PATH_SUFFIXES lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake/dnnl lib/cmake/dnnl)
if(ADAPT_DNNL_WITH_OPENCL)
  adapt_find(OpenCL ocl-icd-opencl-dev)
endif()
if(NOT ADAPT_DNNL_WITH_OPENCL OR OpenCL_FOUND)
  adapt_find(dnnl libdnnl-dev CONFIG)
endif()
set(HDF5_PREFER_PARALLEL OFF)
adapt_find(HDF5 libhdf5-dev COMPONENTS C)
adapt_find(Boost libboost-program-options-dev COMPONENTS program_options)
adapt_find(yaml-cpp libyaml-cpp-dev)
adapt_find(nlohmann_json nlohmann-json3-dev)
adapt_find(ZLIB zlib1g-dev)
adapt_find(PNG libpng-dev)
adapt_find(OpenSSL libssl-dev COMPONENTS Crypto)
adapt_find(Protobuf libprotobuf-dev)  # ONNX's targets need its own
if(Protobuf_FOUND)
  adapt_find(ONNX libonnx-dev CONFIG)
endif()
adapt_find(Threads libc6-dev)
adapt_find(OpenMP libgomp1 COMPONENTS CXX)
if(ADAPT_TESTS)
  adapt_find(GTest libgtest-dev)
endif()
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h)
if(NOT RANDOM123_INCLUDE_DIR)
  list(APPEND adapt_missing "Random123 (Debian: librandom123-dev)")
endif()

if(adapt_missing)
  list(JOIN adapt_missing "\n  " adapt_missing_lines)
  message(FATAL_ERROR "These packages were not found:\n  ${adapt_missing_lines}\n"
                      "On Debian, tests/run.sh and experiments/quickstart.sh install them; or pass CMAKE_PREFIX_PATH.")
endif()

add_library(adapt_packages INTERFACE)
target_link_libraries(adapt_packages INTERFACE MPI::MPI_C DNNL::dnnl Boost::program_options yaml-cpp nlohmann_json::nlohmann_json
                                               ZLIB::ZLIB PNG::PNG OpenSSL::Crypto Threads::Threads OpenMP::OpenMP_CXX ${HDF5_LIBRARIES})
target_include_directories(adapt_packages SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS} ${RANDOM123_INCLUDE_DIR})
target_compile_definitions(adapt_packages INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
