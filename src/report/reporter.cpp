#include <pthread.h>

#include <atomic>
#include <csignal>
#include <exception>
#include <thread>

#include "base/event_queue.hpp"
#include "pgsluice/report.hpp"
#include "report/json_presenter.hpp"
#include "report/line_presenter.hpp"
#include "report/live/terminal.hpp"
#include "report/live_presenter.hpp"
#include "report/quiet_presenter.hpp"

namespace pgsluice {

namespace report {

namespace {

// Events that may queue for a slow terminal or pipe before Batch and Status are dropped: minutes of batches
// in a fast run, a few tens of MB at worst.
constexpr std::size_t kQueuedEvents = 65'536;

std::unique_ptr<Presenter> make_presenter(const ReportOptions& options) {
  switch (options.style) {
    case ReportStyle::kLive:
      return std::make_unique<LivePresenter>(options.err,
                                             [options] { return read_terminal(options.err, options.color); });
    case ReportStyle::kJson:
      return std::make_unique<JsonPresenter>(options.out);
    case ReportStyle::kQuiet:
      return std::make_unique<QuietPresenter>(options.err);
    case ReportStyle::kLines:
      break;
  }
  return std::make_unique<LinePresenter>(options.err, options.log_batches);
}

/// Blocks OS signals in the threads started during its lifetime: signals belong to the engine, and a reader
/// that has gone away (SIGPIPE) must not end the run.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

class ThreadedReporter final : public Reporter {
 public:
  explicit ThreadedReporter(const ReportOptions& options)
      : err_(options.err),
        batches_wanted_(options.log_batches &&
                        (options.style == ReportStyle::kJson || options.style == ReportStyle::kLines)),
        presenter_(make_presenter(options)) {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { run(); });
  }
  ~ThreadedReporter() override { finish(); }

  void publish(Event event) override;
  void finish() override;

 private:
  void run();
  void show(Event& event);
  bool is_over() const { return finishing_.load(std::memory_order_acquire) && queue_.size() == 0; }

  std::FILE* const err_;
  const bool batches_wanted_;
  base::EventQueue<Event> queue_{kQueuedEvents};
  std::atomic<bool> finishing_{false};
  std::unique_ptr<Presenter> presenter_;  // of thread_, like dropped_told_
  std::uint64_t dropped_told_ = 0;        // events that earlier summaries have reported
  std::thread thread_;
};

void ThreadedReporter::publish(Event event) {
  const bool is_batch = std::holds_alternative<event::Batch>(event.body);
  if (is_batch && !batches_wanted_) return;
  if (is_batch || std::holds_alternative<event::Status>(event.body)) {
    queue_.push_droppable(std::move(event));
  } else {
    queue_.push(std::move(event));
  }
}

void ThreadedReporter::finish() {
  if (!thread_.joinable()) return;
  finishing_.store(true, std::memory_order_release);
  queue_.wake();
  thread_.join();
}

void ThreadedReporter::show(Event& event) {
  if (auto* summary = std::get_if<event::Summary>(&event.body)) {
    const std::uint64_t dropped = queue_.dropped();
    summary->events_dropped += static_cast<std::int64_t>(dropped - dropped_told_);
    dropped_told_ = dropped;
  }
  try {
    presenter_->show(event, std::chrono::steady_clock::now());
  } catch (const std::exception& failure) {
    // Safe to continue: an event that cannot be shown changes nothing in the database.
    std::fprintf(err_, "pgsluice: cannot show an event of type %s: %s\n", event_type(event.body),
                 failure.what());
  }
}

void ThreadedReporter::run() {
  std::vector<Event> events;
  do {
    events.clear();
    queue_.drain(events, Presenter::kTick);
    for (auto& event : events) show(event);
    presenter_->tick(std::chrono::steady_clock::now());
  } while (!is_over());
  presenter_->finish(std::chrono::steady_clock::now());
}

}  // namespace

}  // namespace report

std::unique_ptr<Reporter> make_reporter(const ReportOptions& options) {
  return std::make_unique<report::ThreadedReporter>(options);
}

}  // namespace pgsluice
