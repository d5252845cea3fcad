#include "cli/noting_sink.hpp"

#include <variant>

#include "pgsluice/error.hpp"

namespace pgsluice::cli {
namespace {

/// Whether running the same command line again continues where this run ended.
bool can_go_on(int exit_code) {
  const auto code = static_cast<ExitCode>(exit_code);
  return code == ExitCode::kWorkLeft || code == ExitCode::kRangesHeld || code == ExitCode::kUnreachable;
}

}  // namespace

void NotingSink::publish(Event event) {
  if (auto* summary = std::get_if<event::Summary>(&event.body)) {
    has_summary_ = true;
    if (summary->next.empty() && can_go_on(summary->exit_code)) summary->next = command_line_;
  } else if (const auto* verify = std::get_if<event::Verify>(&event.body)) {
    ++verified_;
    if (!verify->matches) ++mismatches_;
  }
  next_.publish(std::move(event));
}

}  // namespace pgsluice::cli
