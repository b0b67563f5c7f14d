# The models of experiments/models as text within the program, so that it finds them wherever it stands:
# adapt_add_shipped_models(target) gives the target's sources "nn/shipped_models.hpp".

function(adapt_add_shipped_models target)
  file(GLOB models CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/experiments/models/*.yaml")
  list(SORT models COMPARE NATURAL)
  set(SHIPPED_MODELS "")
  foreach(model IN LISTS models)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${model}")
    file(READ "${model}" text)
    get_filename_component(name "${model}" NAME_WE)
    string(APPEND SHIPPED_MODELS "    {\"${name}\", R\"yaml(${text})yaml\"},\n")
  endforeach()
  configure_file("${CMAKE_SOURCE_DIR}/src/cmake/shipped_models.hpp.in"
                 "${CMAKE_BINARY_DIR}/generated/nn/shipped_models.hpp" @ONLY)
  target_include_directories(${target} PRIVATE "${CMAKE_BINARY_DIR}/generated")
endfunction()
