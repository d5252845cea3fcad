#pragma once

#include <string>
#include <utility>

#include "lanes/throttle/readings/signal_reader.hpp"

namespace pgsluice::engine {

/// lock_wait: sessions that wait for our lanes, and the lanes that block them.
class LockWaitReader final : public SignalReader {
 public:
  explicit LockWaitReader(std::string application_prefix) : prefix_(std::move(application_prefix)) {}

  Judge read(pg::Session& session) override;

 private:
  std::string prefix_;
};

}  // namespace pgsluice::engine
