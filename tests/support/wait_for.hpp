#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace pgsluice::test {

/// Long enough for two busy cores under ASan; a condition that needs more is broken. Seconds.
inline constexpr std::chrono::seconds kPatience{30};

/// Polls the condition every few milliseconds until it holds. Throws std::runtime_error ("waited 30.0 s in
/// vain for the replica to stream") when it does not: GoogleTest then fails the test with that text. What the
/// condition throws passes through.
void wait_for(const std::function<bool()>& condition, std::chrono::milliseconds deadline,
              const std::string& what);

/// The same with kPatience.
void wait_for(const std::function<bool()>& condition, const std::string& what);

}  // namespace pgsluice::test
