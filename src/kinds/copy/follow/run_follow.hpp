#pragma once

#include <boost/asio/awaitable.hpp>

#include "kinds/copy/follow/switch_over.hpp"
#include "kinds/step_run/running_step.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// The acts of a copy that follows its source, as the ledger and `status` name them.
struct FollowParts {
  static constexpr const char* kInstall = "install";
  static constexpr const char* kCopy = "copy";
  static constexpr const char* kFollow = "follow";
  static constexpr const char* kRemove = "remove";
};

/// `job "x", step "y"`: what objects at the source say of their owner.
std::string owner_in_words(const std::string& job, const std::string& step);

/// Installs the queue at the source, copies what is there, and brings what changes until an operator asks to
/// switch; then removes the queue. Goes on where an earlier run stopped. Throws Error.
boost::asio::awaitable<void> run_follow(RunningStep& step, CopyStep copy);

}  // namespace pgsluice::engine
