#include "lanes/throttle/readings/commit_wait_reader.hpp"

#include "governor/signals/commit_wait.hpp"
#include "pg/activity/activity.hpp"

namespace pgsluice::engine {

SignalReader::Judge CommitWaitReader::read(pg::Session& session) {
  return [waited_s = pg::read_commit_wait(session, prefix_)](const JudgedBy& by, Judged& judged) {
    if (waited_s > 0) judged.samples.push_back(governor::commit_wait(waited_s, by.taken_at));
  };
}

}  // namespace pgsluice::engine
