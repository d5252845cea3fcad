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

# pgsluice_layer(NAME SEES … [LIBRARIES …] [PRIVATE_LIBRARIES …] [LINK_ONLY …]): static library pgsluice_NAME, alias
# pgsluice::NAME, of all sources in the folder of that name and below, but a program's main.cpp. SEES is the dependency rule, and the compiler keeps it: a layer's
# include path holds its own folder, those that SEES names, and those that they see; nothing else under src can be
# included. LIBRARIES are third-party ones that its headers need. LINK_ONLY is called through the public face.
function(pgsluice_layer name)
  cmake_parse_arguments(LAYER "" "" "SEES;LIBRARIES;PRIVATE_LIBRARIES;LINK_ONLY" ${ARGN})
  set(seen ${LAYER_SEES})
  foreach(layer IN LISTS LAYER_SEES)
    get_target_property(below pgsluice_${layer} PGSLUICE_SEES)
    list(APPEND seen ${below})
  endforeach()
  list(REMOVE_DUPLICATES seen)
  list(REMOVE_ITEM seen "below-NOTFOUND")
  set(view "${PROJECT_BINARY_DIR}/sees/${name}")
  file(REMOVE_RECURSE "${view}")
  file(MAKE_DIRECTORY "${view}")
  foreach(layer IN LISTS seen ITEMS ${name})
    file(CREATE_LINK "${PROJECT_SOURCE_DIR}/src/${layer}" "${view}/${layer}" SYMBOLIC)
  endforeach()

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main[.]cpp$")
  add_library(pgsluice_${name} STATIC ${sources})
  add_library(pgsluice::${name} ALIAS pgsluice_${name})
  set_target_properties(pgsluice_${name} PROPERTIES PGSLUICE_SEES "${seen}")
  target_include_directories(pgsluice_${name}
    PRIVATE "${view}"
    PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:include>")
  list(TRANSFORM seen PREPEND pgsluice:: OUTPUT_VARIABLE targets)
  target_link_libraries(pgsluice_${name}
    PUBLIC ${LAYER_LIBRARIES}
    PRIVATE ${targets} ${LAYER_LINK_ONLY} ${LAYER_PRIVATE_LIBRARIES} $<BUILD_INTERFACE:pgsluice_warnings>)
  set_target_properties(pgsluice_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS pgsluice_${name} EXPORT pgsluice ARCHIVE DESTINATION lib/pgsluice)
endfunction()
