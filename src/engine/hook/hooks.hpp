#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/hook/shell_command.hpp"
#include "pg/connection/connection.hpp"
#include "pgsluice/event.hpp"
#include "pgsluice/job.hpp"
#include "telling/journal.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// The commands that the job file gives for the beginning and the end of a run. Each becomes an event.
/// Confined to the io thread; what it is given outlives it.
class JobHooks {
 public:
  struct Of {
    const Job& job;
    const std::string& run_id;
    pg::Connection& session;  // idle while a command is in work
    Journal& journal;
    const Stop& stop;
    std::function<int()> signals;     // how many this process has received so far
    std::chrono::milliseconds grace;  // of the run
    std::vector<std::string> secrets;
  };
  explicit JobHooks(Of of) : of_(std::move(of)) {}

  /// Before the first step. Throws Error(kRefused) if the command fails, and Failure; a stop of the run ends
  /// the command.
  boost::asio::awaitable<void> before();

  /// How the run ended.
  struct End {
    std::string outcome;
    int exit_code = 0;
    std::int64_t rows_changed = 0;
  };
  /// Whether there is a command for the end, and the run came as far as before().
  bool is_after_due() const { return is_begun_ && !of_.job.hooks.after.empty(); }
  /// REQUIRES: is_after_due(). Returns why it failed; empty: it did not. A signal ends the command.
  boost::asio::awaitable<std::string> after(End end);

 private:
  using Facts = std::map<std::string, std::string>;

  Facts facts() const;
  boost::asio::awaitable<event::Hook> run(std::string name, ShellCommand command);

  Of of_;
  bool is_begun_ = false;
  std::string database_;
};

}  // namespace pgsluice::engine
