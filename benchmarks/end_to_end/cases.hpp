#pragma once

#include <random>
#include <string>

#include "measure/options.hpp"

namespace pgsluice::bench {

/// One line of what pgsluice must reach, measured: returns a markdown section. Trials of several arms run in
/// an order drawn from `random`, a round of all arms after the other.
std::string case_one_update(const Options& options, std::mt19937_64& random);
std::string case_no_growth(const Options& options, std::mt19937_64& random);
std::string case_footprint(const Options& options, std::mt19937_64& random);
std::string case_checkpoint_wal(const Options& options, std::mt19937_64& random);
std::string case_resume(const Options& options, std::mt19937_64& random);
std::string case_traffic(const Options& options, std::mt19937_64& random);
std::string case_purge(const Options& options, std::mt19937_64& random);
std::string case_retype_fill(const Options& options, std::mt19937_64& random);
std::string case_retype_cutover(const Options& options, std::mt19937_64& random);
std::string case_retype_graph(const Options& options, std::mt19937_64& random);

}  // namespace pgsluice::bench
