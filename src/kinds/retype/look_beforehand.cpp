#include "kinds/retype/look_beforehand.hpp"

#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/retype_survey.hpp"
#include "kinds/retype/value_pass.hpp"
#include "ledger/objects.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
namespace rt = steps::retype;

namespace {

struct Beforehand {
  rt::Retype retype;
  Rehearsed rehearsal;
};

/// The values that could be lost or rounded.
asio::awaitable<void> refuse_losses(RunningStep& step, rt::Retype retype) {
  const LookSurroundings at{step.tunables, step.gate, step.journal, step.stop};
  const auto losses = co_await read_values_paced(step.connection, std::move(retype), at);
  std::vector<Obstacle> obstacles;
  for (const auto& loss : in_words(losses, step.tunables.max_quarantined))
    obstacles.push_back({loss.message, loss.hint});
  refuse_retype(step.record.name, obstacles);
}

}  // namespace

asio::awaitable<void> look_beforehand(RunningStep& step, RetypeStep retype) {
  std::function<Beforehand(pg::Session&)> look = [=, id = step.record.step_id](pg::Session& s) {
    Beforehand out{read_retype(s, retype, owner_of(s, id)), {}};
    refuse_retype(retype.name, retype_obstacles(s, out.retype));
    out.rehearsal = rehearsed(s, out.retype);
    return out;
  };
  const auto beforehand = co_await keep_trying<Beforehand>(step.connection, look, step.journal, step.stop);
  for (const auto& warning : beforehand.rehearsal.warnings) step.journal.warn(warning.message, warning.hint);
  refuse_retype(retype.name, beforehand.rehearsal.refused);
  step.journal.write(event::State{"running", "rehearsed", beforehand.rehearsal.summary});
  co_await refuse_losses(step, beforehand.retype);
  std::function<std::vector<Obstacle>(pg::Session&)> count = [retype = beforehand.retype](pg::Session& s) {
    return collisions(s, retype);
  };
  const auto collided =
      co_await keep_trying<std::vector<Obstacle>>(step.connection, count, step.journal, step.stop);
  refuse_retype(step.record.name, collided);
}

}  // namespace pgsluice::engine
