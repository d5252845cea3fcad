#include "engine/run/keeper.hpp"

#include "ledger/event_log.hpp"
#include "ledger/range/lease.hpp"
#include "ledger/step/gone_step.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/job_file.hpp"

namespace pgsluice::engine {

using SteadyClock = std::chrono::steady_clock;

namespace {
// While a COMMIT waits for the disk, behind everything that lanes have written, pages cannot be pruned of row
// versions replaced since it began. A server crash may lose the keeper's last writes; leases commit
// synchronously.
constexpr pg::TransactionLimits kTellLimits{std::chrono::milliseconds{5'000},
                                            std::chrono::milliseconds{5'000}, false};
}  // namespace

boost::asio::awaitable<void> Keeper::run(const Over& over, std::function<std::string()> progress) {
  auto heartbeat_at = SteadyClock::time_point{};
  while (!over.is_set()) {
    const auto now = SteadyClock::now();
    const bool is_heartbeat_due = now - heartbeat_at >= std::chrono::seconds{ledger::kHeartbeatSeconds};
    if (is_heartbeat_due) heartbeat_at = now;
    const std::string text = is_heartbeat_due ? progress() : std::string();
    co_await turn(is_heartbeat_due, text);
    co_await flush_journal();
    co_await over.wait(kTurn);
  }
}

boost::asio::awaitable<void> Keeper::turn(bool is_heartbeat_due, std::string progress) {
  std::function<ledger::Orders(pg::Session&)> visit = [=, job_id = job_id_, run_id = run_id_,
                                                       zone = timezone_](pg::Session& s) {
    if (!is_heartbeat_due) return ledger::read_orders(s, job_id, run_id, zone);
    return pg::in_transaction(s, kTellLimits,
                              [&] { return ledger::heartbeat(s, job_id, run_id, progress, zone); });
  };
  try {
    const auto orders = co_await connection_.run<ledger::Orders>(std::move(visit));
    obey(orders);
    refused_.clear();
  } catch (const pg::Failure& f) {
    // Unreachable for now: the lanes notice too and decide when to give up; fencing covers a late heartbeat.
    // What the server refuses is reported, or the run would look dead for no reason.
    if (f.disposition() == pg::Disposition::kFatal && refused_ != f.what()) {
      refused_ = f.what();
      journal_.warn("the heartbeat is refused: " + refused_ + " (SQLSTATE " + f.sqlstate() + ")",
                    "other runs will consider this one dead when its lease ends");
    }
  }
}

boost::asio::awaitable<void> Keeper::flush_journal() {
  auto entries = journal_.take_pending();
  if (entries.empty()) co_return;
  std::function<bool(pg::Session&)> store = [entries, job_id = job_id_](pg::Session& s) {
    return pg::in_transaction(s, kTellLimits, [&] {
      ledger::append_events(s, job_id, entries);
      return true;
    });
  };
  bool is_stored = false;
  try {
    is_stored = co_await connection_.run<bool>(std::move(store));
  } catch (const pg::Failure&) {
    // Kept, and stored at the next turn.
  }
  if (!is_stored) journal_.give_back(std::move(entries));
}

void Keeper::obey(const ledger::Orders& orders) {
  obey_tunables(orders);
  clocks_.set_server_clock(orders.seconds_of_day, SteadyClock::now());
  if (orders.is_overtaken) ledger::end_overtaken();
  if (!orders.is_run_alive) {
    if (!is_end_expected_)
      stop_.request(StopCause::kFailed, "another run considered this one dead and ended it");
    return;
  }
  act(change_of(control_, orders.control), orders);
  control_ = orders.control;
}

void Keeper::act(ControlChange change, const ledger::Orders& orders) {
  const std::string by = (orders.actor.empty() ? "" : " by " + orders.actor) +
                         (orders.reason.empty() ? "" : ": " + orders.reason);
  switch (change) {
    case ControlChange::kNone:
      return;
    case ControlChange::kPause:
      gate_.pause(by.empty() ? "by an operator" : by.substr(1));
      return journal_.write(
          event::State{control_ == Control::kRun ? "running" : name_of(control_), "paused", "paused" + by});
    case ControlChange::kResume:
      gate_.resume();
      return journal_.write(event::State{"paused", "running", "resumed" + by});
    case ControlChange::kCancel:
      stop_.request(StopCause::kCancelled, "cancelled" + by);
      return journal_.write(event::State{"running", "cancelling", "cancelled" + by});
  }
}

void Keeper::obey_tunables(const ledger::Orders& orders) {
  if (orders.tunables_version == tunables_version_) return;
  tunables_version_ = orders.tunables_version;
  Tunables changed = tunables_of_file_;
  for (const auto& tunable : orders.tunables) {
    const auto equals = tunable.find('=');
    const auto key = tunable.substr(0, equals);
    const auto value = tunable.substr(equals + 1);
    if (const auto mistake = apply_tunable(changed, key, value); !mistake.empty()) {
      journal_.warn("tunable " + tunable + " is ignored: " + mistake);
    } else {
      journal_.write(event::Tune{key, "", value, "set by an operator"});
    }
  }
  tunables_ = std::move(changed);
}

}  // namespace pgsluice::engine
