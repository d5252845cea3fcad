#pragma once

namespace pgsluice::engine {

/// As CMakeLists.txt has it.
constexpr const char* kVersion = PGSLUICE_VERSION;

}  // namespace pgsluice::engine
