#include "support/environment.hpp"

#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace pgsluice::test {

bool long_run() {
  const char* value = std::getenv("PGSLUICE_LONG");
  return value != nullptr && std::string(value) == "1";
}

std::mt19937_64 seeded_random() {
  const char* given = std::getenv("PGSLUICE_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
  std::cout << "seed: PGSLUICE_SEED=" << seed << std::endl;
  return std::mt19937_64(seed);
}

std::string pgsluice_binary() {
#ifdef PGSLUICE_BINARY
  return PGSLUICE_BINARY;
#else
  throw std::logic_error("this build has no command-line program");
#endif
}

Command pgsluice(const std::vector<std::string>& args) {
  return Command{pgsluice_binary(), args};
}

}  // namespace pgsluice::test
