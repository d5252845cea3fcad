#pragma once

#include <cstdint>
#include <string>

#include "kinds/step_run/running_step.hpp"

namespace pgsluice::engine {

/// A partition that is to become a table of its own, so that dropping it locks nobody out of the table above.
struct Detaching {
  std::uint32_t oid = 0;
  std::string table_sql;
  std::string parent_sql;
};

/// The statement that begins it. Pure.
std::string detach_sql(const Detaching& partition);

/// Detaches it concurrently, or finishes what an interrupted run began. Throws Error.
boost::asio::awaitable<void> run_detach(RunningStep& step, Detaching partition);

}  // namespace pgsluice::engine
