# adapt_capped_test(name command...): a test once more for each instruction set, so that a machine also runs what older
# processors would: `name`.generic and so on. Skipped, with the reason, where the processor lacks the set. Levels of
# ADAPT_ISA with what ONEDNN_MAX_CPU_ISA calls the newest set that such processors have:
set(ADAPT_CAPS generic:SSE41 avx2:AVX2 avx_vnni:AVX2_VNNI avx512:AVX512_CORE vnni:AVX512_CORE_VNNI amx:AVX512_CORE_AMX)

function(adapt_capped_test name)
  foreach(cap IN LISTS ADAPT_CAPS)
    string(REPLACE ":" ";" cap "${cap}")
    list(GET cap 0 level)
    list(GET cap 1 library)
    adapt_patience(patience 300)
    add_test(NAME ${name}.${level} COMMAND ${ARGN})
    set_tests_properties(${name}.${level} PROPERTIES
      ENVIRONMENT "${ADAPT_MPI_ENVIRONMENT};ADAPT_ISA=${level};ONEDNN_MAX_CPU_ISA=${library}" TIMEOUT ${patience}
      SKIP_REGULAR_EXPRESSION "ADAPT_ISA is \"${level}\", but this machine can run")
  endforeach()
endfunction()
