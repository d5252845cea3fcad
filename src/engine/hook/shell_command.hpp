#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "engine/hook/hook_output.hpp"

namespace pgsluice::engine {

/// Why a command in work must end now.
struct ShellStop {
  std::string because;      // in words; empty: it may go on
  bool is_at_once = false;  // SIGKILL without waiting for what SIGTERM does
};

/// A command for /bin/sh -c. A value.
struct ShellCommand {
  std::string text;
  std::map<std::string, std::string> facts;  // laid over this process's environment
  std::chrono::milliseconds timeout{0};
  std::chrono::milliseconds kill_after{0};  // between SIGTERM and SIGKILL
  std::function<ShellStop()> stop;          // asked again and again
};

/// How a command has ended.
struct ShellEnd {
  int exit_code = -1;  // -1: it was ended, or not started
  std::string ended;   // why, in words; empty: by itself
  double duration_s = 0;
  OutputTail output;  // stdout and stderr together
};

/// Runs it in a process group of its own, without input, to its end; its timeout and `stop` end the group.
/// What it leaves in the background when it ends by itself stays. Runs on the io thread, which it never
/// blocks for longer than a fork takes. Throws nothing for a command that cannot be started.
boost::asio::awaitable<ShellEnd> run_in_shell(ShellCommand command);

}  // namespace pgsluice::engine
