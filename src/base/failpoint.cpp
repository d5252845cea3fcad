#include "base/failpoint.hpp"

#ifdef PGSLUICE_FAILPOINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace pgsluice::base {
namespace {

struct Armed {
  std::string name;
  long pass = 1;
};

Armed armed_by_environment() {
  const char* value = std::getenv("PGSLUICE_FAILPOINT");
  if (!value) return {};
  const std::string text = value;
  const auto colon = text.find(':');
  if (colon == std::string::npos) return {text, 1};
  return {text.substr(0, colon), std::stol(text.substr(colon + 1))};
}

}  // namespace

void failpoint(const char* name) {
  static const Armed armed = armed_by_environment();
  static std::atomic<long> passes{0};
  if (armed.name != name) return;
  if (++passes == armed.pass) std::raise(SIGKILL);
}

}  // namespace pgsluice::base

#endif
