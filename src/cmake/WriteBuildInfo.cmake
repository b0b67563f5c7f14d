# Script (cmake -P): fills TEMPLATE into HEADER, which keeps its time stamp when nothing has changed. A source tree
# without git, or within another project's repository, has commit "unknown".

set(GIT_COMMIT unknown)
set(GIT_DIRTY unknown)
execute_process(COMMAND git rev-parse --show-toplevel WORKING_DIRECTORY "${SOURCE}" OUTPUT_VARIABLE top
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
file(REAL_PATH "${SOURCE}" source)
if(failed EQUAL 0 AND top STREQUAL source)
  execute_process(COMMAND git rev-parse HEAD WORKING_DIRECTORY "${SOURCE}" OUTPUT_VARIABLE commit
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  execute_process(COMMAND git --no-optional-locks status --porcelain WORKING_DIRECTORY "${SOURCE}" OUTPUT_VARIABLE changes
                  ERROR_QUIET RESULT_VARIABLE status_failed)
  if(failed EQUAL 0 AND status_failed EQUAL 0)
    set(GIT_COMMIT "${commit}")
    set(GIT_DIRTY true)
    if(changes STREQUAL "")
      set(GIT_DIRTY false)
    endif()
  endif()
endif()
configure_file("${TEMPLATE}" "${HEADER}" @ONLY)
