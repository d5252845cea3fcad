# Every third-party library that pgsluice links, as an imported target with SYSTEM headers. Debian 12 is the floor.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json REQUIRED)

# libpqxx and libpq come with pkg-config files only.
pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)

# concurrentqueue has no CMake package on Debian 12, and its header moved between releases.
find_path(CONCURRENTQUEUE_INCLUDE concurrentqueue.h REQUIRED
  PATH_SUFFIXES concurrentqueue/moodycamel concurrentqueue moodycamel)
add_library(concurrentqueue INTERFACE IMPORTED)
target_include_directories(concurrentqueue SYSTEM INTERFACE "${CONCURRENTQUEUE_INCLUDE}")

# libpg_query has neither a CMake package nor a pkg-config file.
find_path(PG_QUERY_INCLUDE pg_query.h REQUIRED)
find_library(PG_QUERY_LIBRARY pg_query REQUIRED)
add_library(pg_query INTERFACE IMPORTED)
target_include_directories(pg_query SYSTEM INTERFACE "${PG_QUERY_INCLUDE}")
target_link_libraries(pg_query INTERFACE "${PG_QUERY_LIBRARY}")

if(PGSLUICE_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(PGSLUICE_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()
