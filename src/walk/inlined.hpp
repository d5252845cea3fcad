#pragma once

#include <string>

#include "walk/fragment.hpp"

namespace pgsluice::walk {

/// The fragment with its values as constants in place of $1, $2, …: for COPY, which takes no parameters.
/// REQUIRES: outside of quoted names a $ stands for nothing else, and no value is NULL.
std::string inlined(const Fragment& fragment);

}  // namespace pgsluice::walk
