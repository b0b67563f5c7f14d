# adapt_mpi_test(module source [ranks...]): a GoogleTest program run by mpirun, once for each rank count (default 1 2 3 4).
# Launcher flags live only here.

set(ADAPT_MPI_ENVIRONMENT
    "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe;OMPI_MCA_mpi_yield_when_idle=1;OMPI_MCA_btl_tcp_if_include=lo;OMPI_MCA_hwloc_base_binding_policy=none;OMPI_MCA_btl_vader_single_copy_mechanism=none;OMP_NUM_THREADS=1;ADAPT_KERNELS=${CMAKE_BINARY_DIR}/tests/kernels.json"
    CACHE INTERNAL "environment of mpirun in tests")
if(ADAPT_SANITIZE)
  # Open MPI leaves memory behind in plug-ins that are unloaded at exit, so that no suppression finds their names. The
  # programs without MPI look for leaks in the same code.
  # Other options as in tests/run.sh, and libraries that tests preload come before the sanitizer.
  list(APPEND ADAPT_MPI_ENVIRONMENT
       "ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:verify_asan_link_order=0")
endif()

function(adapt_mpi_test module source)
  get_filename_component(name "${source}" NAME_WE)
  set(counts ${ARGN})
  if(NOT counts)
    set(counts 1 2 3 4)
  endif()
  adapt_test_program(${name} "${source}" "${CMAKE_SOURCE_DIR}/tests/support/mpi_main.cpp")
  adapt_patience(patience 120)
  foreach(count IN LISTS counts)
    add_test(NAME ${module}.${name}.${count}_ranks
             COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${count} $<TARGET_FILE:${name}>)
    set_tests_properties(${module}.${name}.${count}_ranks PROPERTIES ENVIRONMENT "${ADAPT_MPI_ENVIRONMENT}"
                                                        TIMEOUT ${patience} PROCESSORS ${count})
  endforeach()
endfunction()
