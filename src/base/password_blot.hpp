#pragma once

#include <string>

namespace pgsluice::base {

/// Overwrites every password within the arguments, in place, so that the process list does not show it. Copy
/// the arguments first.
void blot_out_passwords(int argc, char** argv);

/// The text with x in place of each character of a password: the value of `password = …` in a connection
/// string, quoted or not, and what is between `://user:` and `@`.
std::string without_passwords(std::string text);

}  // namespace pgsluice::base
