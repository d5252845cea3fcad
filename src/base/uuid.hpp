#pragma once

#include <string>

namespace pgsluice::base {

/// A random (version 4) UUID in its canonical text form, from the system's entropy. Names a run.
std::string random_uuid();

}  // namespace pgsluice::base
