#pragma once

namespace pgsluice::engine {

/// As set in CMakeLists.txt.
constexpr const char* kVersion = PGSLUICE_VERSION;

}  // namespace pgsluice::engine
