#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "pg/connection/connection.hpp"
#include "pgsluice/bench.hpp"
#include "telling/stop.hpp"

namespace pgsluice::bench {

/// What every part of a bench gets; each reference outlives it and is confined to the io thread.
struct Surroundings {
  boost::asio::io_context& io;
  const std::string& dsn;
  const pg::ConnectionTarget& target;
  const Job& job;  // with the step to bench as its only one
  const BackfillStep& step;
  const BenchOptions& options;
  engine::Stop& stop;
  pg::Connection& control;
  const std::function<void(const std::string&)>& tell;
  std::string prefix;  // of our sessions' application_name
};

}  // namespace pgsluice::bench
