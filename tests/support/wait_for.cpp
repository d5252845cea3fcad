#include "support/wait_for.hpp"

#include <stdexcept>
#include <thread>

namespace pgsluice::test {

namespace {
constexpr std::chrono::milliseconds kPoll{5};  // far below anything that a test measures
}

void wait_for(const std::function<bool()>& condition, std::chrono::milliseconds deadline,
              const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) {
      throw std::runtime_error("waited " + std::to_string(deadline.count()) + " ms in vain for " + what);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

void wait_for(const std::function<bool()>& condition, const std::string& what) {
  wait_for(condition, kPatience, what);
}

}  // namespace pgsluice::test
