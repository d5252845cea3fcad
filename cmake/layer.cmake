# Warnings and sanitizers of our own targets, and the one way to add a layer.
add_library(pgsluice_warnings INTERFACE)
target_compile_options(pgsluice_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wold-style-cast -Wimplicit-fallthrough
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wno-tsan>
  $<$<BOOL:${PGSLUICE_WERROR}>:-Werror>)
target_compile_features(pgsluice_warnings INTERFACE cxx_std_20)
if(PGSLUICE_SANITIZE)
  target_compile_options(pgsluice_warnings INTERFACE "-fsanitize=${PGSLUICE_SANITIZE}" -fno-omit-frame-pointer)
  target_link_options(pgsluice_warnings INTERFACE "-fsanitize=${PGSLUICE_SANITIZE}")
endif()
if(PGSLUICE_FAILPOINTS)
  target_compile_definitions(pgsluice_warnings INTERFACE PGSLUICE_FAILPOINTS=1)
endif()

# pgsluice_layer(NAME SOURCES … LINK …): static library pgsluice_NAME, alias pgsluice::NAME. Its LINK line is the
# dependency rule: what is not named there cannot be used there.
function(pgsluice_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  if(NOT LAYER_SOURCES)
    add_library(pgsluice_${name} INTERFACE)
    add_library(pgsluice::${name} ALIAS pgsluice_${name})
    target_link_libraries(pgsluice_${name} INTERFACE ${LAYER_LINK})
    return()
  endif()
  add_library(pgsluice_${name} STATIC ${LAYER_SOURCES})
  add_library(pgsluice::${name} ALIAS pgsluice_${name})
  target_include_directories(pgsluice_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(pgsluice_${name} PUBLIC ${LAYER_LINK} PRIVATE ${LAYER_PRIVATE_LINK} pgsluice_warnings)
endfunction()
