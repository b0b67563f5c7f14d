# adapt_program_test(module script): a Python unittest that drives the built program, alone and under mpirun.

function(adapt_program_test module script)
  get_filename_component(name "${script}" NAME_WE)
  add_test(NAME ${module}.${name} COMMAND ${ADAPT_H5PY_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/${script}")
  set(environment ${ADAPT_MPI_ENVIRONMENT} ${ADAPT_H5PY_ENVIRONMENT} "ADAPT_PROGRAM=$<TARGET_FILE:adapt>"
                  "ADAPT_MPIEXEC=${MPIEXEC_EXECUTABLE}" "PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/support" "PYTHONDONTWRITEBYTECODE=1"
                  "ADAPT_TEST_SLOWNESS=${ADAPT_TEST_SLOWNESS}")
  adapt_patience(patience 600)
  set_tests_properties(${module}.${name} PROPERTIES ENVIRONMENT "${environment}" TIMEOUT ${patience})
endfunction()
