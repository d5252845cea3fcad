#include "engine/hook/hooks.hpp"

#include <algorithm>

#include "engine/hook/hook_output.hpp"
#include "pg/activity/health.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kKillAfter{5'000};  // SIGTERM to SIGKILL: time to clean up
// A signal that ended the run means that this machine wants us gone: `after` may tell somebody, no more.
constexpr milliseconds kAfterSignalMost{10'000};

}  // namespace

asio::awaitable<void> JobHooks::before() {
  std::function<std::string(pg::Session&)> ask = pg::current_database;
  database_ = co_await keep_trying<std::string>(of_.session, ask, of_.journal, of_.stop);
  is_begun_ = true;
  if (of_.job.hooks.before.empty()) co_return;
  ShellCommand command{of_.job.hooks.before, facts(), of_.job.hooks.timeout, std::min(kKillAfter, of_.grace),
                       [this] {
                         const auto because = of_.stop.is_requested() ? of_.stop.reason() : std::string();
                         return ShellStop{because, of_.signals() > 1};
                       }};
  const auto ended = co_await run("before", std::move(command));
  const auto failure = hook_failure(ended);
  if (failure.empty() || of_.stop.is_requested()) co_return;
  throw Error(ExitCode::kRefused, failure,
              "no step has begun; pgsluice history " + of_.job.name + " shows the command's output");
}

asio::awaitable<std::string> JobHooks::after(End end) {
  const bool is_signalled = of_.stop.cause() == StopCause::kSignal;
  ShellCommand command{of_.job.hooks.after, facts(), of_.job.hooks.timeout, kKillAfter,
                       [this, had = of_.signals()] {
                         const int came = of_.signals() - had;
                         return ShellStop{came > 0 ? "a signal asked to stop" : "", came > 1};
                       }};
  if (is_signalled) command.timeout = std::min(command.timeout, kAfterSignalMost);
  command.facts["PGSLUICE_OUTCOME"] = end.outcome;
  command.facts["PGSLUICE_EXIT_CODE"] = std::to_string(end.exit_code);
  command.facts["PGSLUICE_ROWS_CHANGED"] = std::to_string(end.rows_changed);
  const auto ended = co_await run("after", std::move(command));
  co_return hook_failure(ended);
}

JobHooks::Facts JobHooks::facts() const {
  return {{"PGSLUICE_JOB", of_.job.name},
          {"PGSLUICE_RUN_ID", of_.run_id},
          {"PGSLUICE_ENV", of_.job.environment},
          {"PGSLUICE_DATABASE", database_}};
}

asio::awaitable<event::Hook> JobHooks::run(std::string name, ShellCommand command) {
  event::Hook hook;
  hook.hook = std::move(name);
  hook.command = without_secrets(command.text, of_.secrets);
  const auto end = co_await run_in_shell(std::move(command));
  hook.exit_code = end.exit_code;
  hook.ended = end.ended;
  hook.duration_s = end.duration_s;
  hook.output = plain_output(end.output, of_.secrets);
  of_.journal.write(hook);
  co_return hook;
}

}  // namespace pgsluice::engine
