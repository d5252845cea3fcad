#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/confirmation.hpp"
#include "cli/job_source.hpp"
#include "cli/noting_sink.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"
#include "pgsluice/report.hpp"

namespace pgsluice::cli {
namespace {

/// Lines instead of the live view: these acts are short.
ReportOptions report_options(const Arguments& arguments) {
  ReportOptions options;
  options.style = arguments.json    ? ReportStyle::kJson
                  : arguments.quiet ? ReportStyle::kQuiet
                                    : ReportStyle::kLines;
  return options;
}

Event summary(const std::string& job, ExitCode code, std::string outcome, std::string reason) {
  event::Summary body;
  body.outcome = std::move(outcome);
  body.reason = std::move(reason);
  body.exit_code = static_cast<int>(code);
  Event event;
  event.job = job;
  event.body = std::move(body);
  return event;
}

std::string verified_text(const NotingSink& sink) {
  const int as_expected = sink.verified() - sink.mismatches();
  return std::to_string(as_expected) + " of " + std::to_string(sink.verified()) + " results as expected";
}

/// What an operator orders at the end (cutover, contract or switch), by the job's name.
ExitCode order_end(const Arguments& arguments, const std::string& outcome,
                   const std::function<ExitCode(Engine&, const LedgerJob&, EventSink&)>& say) {
  const LedgerJob job = find_ledger_job(arguments);
  const auto reporter = make_reporter(report_options(arguments));
  NotingSink sink(*reporter, "");
  Engine engine(job.dsn);
  const ExitCode code = say(engine, job, sink);
  sink.publish(summary(job.name, code, outcome, ""));
  reporter->finish();
  return code;
}

}  // namespace

ExitCode verify(const Job& job, const Arguments& arguments) {
  ReportOptions options = report_options(arguments);
  options.err = stdout;  // here the lines are the result
  const auto reporter = make_reporter(options);
  NotingSink sink(*reporter, "");
  const ExitCode code = Engine(choose_dsn(arguments.dsn, job.dsn)).verify(job, sink, arguments.verify);
  if (!sink.has_summary()) {
    sink.publish(summary(job.name, code, code == ExitCode::kDone ? "verified" : "verify mismatch",
                         verified_text(sink)));
  }
  reporter->finish();
  return code;
}

ExitCode verify_job(const Arguments& arguments) {
  return verify(load_job(arguments.job, arguments.environment), arguments);
}

ExitCode drop_undo(const Arguments& arguments) {
  require_word(arguments, "drop-undo");
  const LedgerJob job = find_ledger_job(arguments);
  Engine engine(job.dsn);
  confirm_act(arguments, [&] {
    return std::vector<std::string>{"the old values that job \"" + job.name +
                                    "\" keeps are dropped: its backfills cannot be rolled back any more"};
  });
  const auto bytes = engine.drop_undo(job.name);
  if (arguments.json) {
    print_line(json_line({{"type", "drop_undo"}, {"job", job.name}, {"bytes", bytes}}));
  } else if (!arguments.quiet) {
    print_line(plain_line(
        "job \"" + job.name + "\": " +
        (bytes == 0 ? "it keeps no before-images"
                    : base::format_bytes(static_cast<double>(bytes)) + " of before-images are freed")));
  }
  return ExitCode::kDone;
}

ExitCode cut_over(const Arguments& arguments) {
  return order_end(arguments, "cut over", [&](Engine& engine, const LedgerJob& job, EventSink& sink) {
    std::optional<Act> act;
    if (job.is_confirmed_first) act = Act{"cut over", {job.name}, {engine.target()}, arguments.environment};
    confirm_environment(arguments, act, [&] { return engine.cutover_notice(job.name); });
    const bool is_said = arguments.kill_blockers_after.count() > 0;
    return engine.cutover(job.name, is_said ? arguments.kill_blockers_after : job.kill_blockers_after, sink);
  });
}

ExitCode switch_over(const Arguments& arguments) {
  return order_end(arguments, "switched", [&](Engine& engine, const LedgerJob& job, EventSink& sink) {
    std::optional<Act> act;
    if (job.is_confirmed_first) act = Act{"switch", {job.name}, {engine.target()}, arguments.environment};
    confirm_environment(arguments, act, [&] { return engine.switch_notice(job.name); });
    return engine.switch_over(job.name, arguments.pause, sink);
  });
}

ExitCode contract(const Arguments& arguments) {
  require_word(arguments, "contract");
  return order_end(arguments, "contracted", [&](Engine& engine, const LedgerJob& job, EventSink& sink) {
    confirm_act(arguments, [&] { return engine.contract_notice(job.name); });
    return engine.contract(job.name, sink, arguments.contract);
  });
}

}  // namespace pgsluice::cli
