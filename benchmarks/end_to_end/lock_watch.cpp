#include "end_to_end/lock_watch.hpp"

namespace pgsluice::bench {
namespace {

using Clock = std::chrono::system_clock;

constexpr std::chrono::microseconds kPause{500};  // a core is left for the others

std::string look_sql(test::Db& db, const std::vector<std::string>& relations) {
  std::string oids;
  for (const auto& name : relations) {
    oids += (oids.empty() ? "" : ", ") +
            db.text("SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = '" +
                    name + "'");
  }
  return "SELECT EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IN (" + oids +
         "))";
}

}  // namespace

LockWatch::LockWatch(const std::string& dsn, const std::vector<std::string>& relations)
    : db_(dsn),
      look_(look_sql(db_, relations)),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void LockWatch::watch(const std::stop_token& stop) try {
  const auto began = Clock::now();
  auto last_free = began;
  bool was_locked = false;
  double looks = 0;
  while (!stop.stop_requested()) {
    const auto asked = Clock::now();
    const bool is_locked = db_.yes(look_);
    const auto answered = Clock::now();
    if (is_locked && !was_locked) seen_.push_back({last_free, answered});
    if (was_locked) seen_.back().to = answered;
    if (!is_locked) last_free = asked;
    was_locked = is_locked;
    interval_ms_ = std::chrono::duration<double, std::milli>(answered - began).count() / ++looks;
    std::this_thread::sleep_for(kPause);
  }
} catch (...) {
  error_ = std::current_exception();
}

std::vector<LockedOut> LockWatch::stop() {
  thread_.request_stop();
  thread_.join();
  if (error_) std::rethrow_exception(error_);
  return seen_;
}

}  // namespace pgsluice::bench
