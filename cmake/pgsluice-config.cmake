# What a program outside of this tree finds: the libraries that pgsluice stands on, and its own.
include("${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/pgsluice-targets.cmake")
