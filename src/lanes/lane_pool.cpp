#include "lanes/lane_pool.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "telling/failure/interruption.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {
// How soon changed tunables are noticed: no later than the keeper, which reads them twice a second. A lane
// notifies when it ends.
constexpr std::chrono::milliseconds kLook{100};
}  // namespace

int LanePool::working() const {
  return static_cast<int>(
      std::count_if(crews_.begin(), crews_.end(), [](const auto& c) { return !c->is_over; }));
}

asio::awaitable<void> LanePool::give_way_on(std::shared_ptr<Crew> crew, std::string who) {
  co_await crew->lane->yield_to(std::move(who));
}

void LanePool::start_lane(Stop& stop) {
  const int number = next_number_++;
  auto crew = std::make_shared<Crew>();
  crew->connection = std::make_unique<pg::Connection>(
      connections_.target, connections_.application_prefix + " lane " + std::to_string(number));
  crew->lane = std::make_unique<Lane>(number, *crew->connection, at_);
  crews_.push_back(crew);
  asio::co_spawn(io_, crew->lane->work(), [this, crew, &stop](const std::exception_ptr& error) {
    crew->is_over = true;
    over_.notify();
    if (!error || is_cut_short(error, stop)) {
      is_nothing_left_ = is_nothing_left_ || !crew->lane->is_retired();
      return;
    }
    if (!first_error_) first_error_ = error;
    if (auto* fill = crew->lane->fill(); fill && !fill->error) fill->error = error;
    stop.request(StopCause::kFailed, "lane " + std::to_string(crew->lane->number()) + " failed");
  });
}

void LanePool::match_tunables() {
  for (const auto& fill : fills_) {
    if (const auto tune = fill->match(at_.tunables, at_.gate.decision().is_beside_others))
      at_.journal.write(fill->event_of(*tune));
  }
}

void LanePool::spare_replicas() {
  const auto& worst = at_.gate.decision().worst;
  if (!worst || !worst->known || worst->value <= worst->limit || !worst->name.starts_with("replica_lag"))
    return;
  for (const auto& fill : fills_) {
    if (const auto change = fill->interleaving().on_replica_lag()) at_.journal.write(fill->event_of(*change));
  }
}

void LanePool::match_lanes(Stop& stop) {
  const int wanted = at_.tunables.lanes;
  while (working() < wanted && !is_nothing_left_ && !stop.is_requested()) start_lane(stop);
  int surplus = working() - wanted;
  for (auto it = crews_.rbegin(); it != crews_.rend() && surplus > 0; ++it) {
    if ((*it)->is_over) continue;
    (*it)->lane->retire();
    --surplus;
  }
  // A lane that has ended has no work in flight: its connection closes here.
  std::erase_if(crews_, [](const auto& c) { return c->is_over; });
}

asio::awaitable<void> LanePool::run(Stop& stop) {
  do {
    match_tunables();
    spare_replicas();
    match_lanes(stop);
    co_await over_.wait(kLook);
  } while (working() > 0 || (!is_nothing_left_ && !stop.is_requested()));
  crews_.clear();
  if (first_error_) std::rethrow_exception(first_error_);
}

std::map<int, int> LanePool::lane_of_pid() const {
  std::map<int, int> out;
  for (const auto& crew : crews_) {
    if (const int pid = crew->lane->backend_pid(); pid != 0) out[pid] = crew->lane->number();
  }
  return out;
}

void LanePool::give_way(int number, const std::string& who) {
  for (const auto& crew : crews_) {
    if (!crew->is_over && crew->lane->number() == number)
      asio::co_spawn(
          io_, give_way_on(crew, who), [&journal = at_.journal, number](const std::exception_ptr& error) {
            if (error)
              journal.warn("lane " + std::to_string(number) + " could not give way: " + message_of(error));
          });
  }
}

void LanePool::note_transaction(std::optional<std::chrono::steady_clock::time_point> open_since) {
  for (const auto& fill : fills_) fill->interleaving().on_transaction_open(open_since);
}

void LanePool::abort() {
  for (const auto& crew : crews_) {
    if (!crew->is_over) crew->connection->shut();
  }
}

std::chrono::steady_clock::duration LanePool::longest_batch(std::chrono::steady_clock::time_point now) const {
  std::chrono::steady_clock::duration longest{};
  for (const auto& crew : crews_) {
    if (const auto since = crew->lane->in_batch_since()) longest = std::max(longest, now - *since);
  }
  return longest;
}

int LanePool::lanes_busy() const {
  return static_cast<int>(
      std::count_if(crews_.begin(), crews_.end(), [](const auto& c) { return c->lane->is_in_batch(); }));
}

}  // namespace pgsluice::engine
