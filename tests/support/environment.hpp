#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "support/process.hpp"

namespace pgsluice::test {

/// True under `scripts/test --long` (PGSLUICE_LONG=1): full matrices, larger tables, more kills.
bool long_run();

/// Seeded from PGSLUICE_SEED, else at random; the seed is printed, so that a failure can be repeated.
std::mt19937_64 seeded_random();

/// Path of the command-line program of this build. REQUIRES: the test was declared with NEEDS_CLI.
std::string pgsluice_binary();

/// The command that runs it with these arguments.
Command pgsluice(const std::vector<std::string>& args);

}  // namespace pgsluice::test
