#pragma once

#include <string>
#include <vector>

#include "measure/engine_run.hpp"
#include "measure/options.hpp"

namespace pgsluice::bench {

/// A table, the backfill of it, and what else goes on.
struct ForetoldTable {
  std::string name;
  std::string sql;  // makes and fills it
  EngineJob job;
  bool has_traffic = false;  // pgbench on it, from before the run until its end
};

std::vector<ForetoldTable> foretold_tables(const Options& options);

}  // namespace pgsluice::bench
