#pragma once

#include <string>
#include <utility>

#include "lanes/throttle/readings/signal_reader.hpp"

namespace pgsluice::engine {

/// commit_wait: a COMMIT of ours that waits for a synchronous standby. No sample while there is none.
class CommitWaitReader final : public SignalReader {
 public:
  explicit CommitWaitReader(std::string application_prefix) : prefix_(std::move(application_prefix)) {}

  Judge read(pg::Session& session) override;

 private:
  std::string prefix_;
};

}  // namespace pgsluice::engine
