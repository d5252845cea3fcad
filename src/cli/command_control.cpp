#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/job_source.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"

namespace pgsluice::cli {
namespace {

/// Confirms that an operator's command is in the ledger.
void confirm(const Arguments& arguments, const std::string& job, const std::string& verb,
             const std::string& text) {
  if (arguments.json) {
    print_line(json_line({{"type", "command"},
                          {"job", job},
                          {"verb", verb},
                          {"arguments", text},
                          {"reason", arguments.reason}}));
  } else if (!arguments.quiet) {
    const std::string word = verb + (text.empty() ? "" : " " + text);
    print_line(
        plain_line("job \"" + job + "\": " + word + " is in the ledger; live runs follow it within seconds"));
  }
}

/// "batch.target=500ms" in two; throws Error(kUsage) for what cannot be a setting of any job.
std::pair<std::string, std::string> read_setting(const std::string& setting) {
  const auto equals = setting.find('=');
  if (equals == std::string::npos) {
    throw Error(ExitCode::kUsage, "\"" + setting + "\" is not a setting",
                "write key=value, such as batch.target=500ms");
  }
  auto read = std::pair(setting.substr(0, equals), setting.substr(equals + 1));
  Tunables tunables;
  const auto mistake = apply_tunable(tunables, read.first, read.second);
  if (!mistake.empty()) throw Error(ExitCode::kUsage, mistake);
  return read;
}

}  // namespace

ExitCode control_job(const Arguments& arguments) {
  const bool is_pause = arguments.verb == Verb::kPause;
  const bool is_resume = arguments.verb == Verb::kResume;
  const LedgerJob job = find_ledger_job(arguments);
  Engine(job.dsn).control(job.name,
                          is_resume  ? Control::kRun
                          : is_pause ? Control::kPause
                                     : Control::kCancel,
                          arguments.reason);
  confirm(arguments, job.name, is_resume ? "resume" : is_pause ? "pause" : "cancel", "");
  return ExitCode::kDone;
}

ExitCode set_tunables(const Arguments& arguments) {
  std::vector<std::pair<std::string, std::string>> settings;  // all are parsed before the first is written
  for (const auto& setting : arguments.settings) settings.push_back(read_setting(setting));
  const LedgerJob job = find_ledger_job(arguments);
  Engine engine(job.dsn);
  for (const auto& [key, value] : settings) {
    engine.set(job.name, key, value, arguments.reason);
    confirm(arguments, job.name, "set", key + "=" + value);
  }
  return ExitCode::kDone;
}

ExitCode resolve_step(const Arguments& arguments) {
  const LedgerJob job = find_ledger_job(arguments);
  Engine(job.dsn).resolve(job.name, arguments.step, arguments.is_applied, arguments.reason);
  confirm(arguments, job.name, "resolve",
          (arguments.step.empty() ? "" : arguments.step + " ") +
              (arguments.is_applied ? "--applied" : "--rolled-back"));
  return ExitCode::kDone;
}

}  // namespace pgsluice::cli
