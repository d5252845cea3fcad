#include <cstddef>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/confirmation.hpp"
#include "cli/job_source.hpp"
#include "cli/results/folder_text.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"

namespace pgsluice::cli {
namespace {

using base::Json;

void tell_not_verified(const Arguments& arguments, const FolderEntry& entry) {
  if (arguments.json) {
    print_line(json_line({{"type", "not_verified"},
                          {"job", entry.job},
                          {"file", entry.file},
                          {"state", name_of(entry.standing)}}));
  } else {
    print_line(plain_line(entry.file + ": job \"" + entry.job + "\" is " + name_of(entry.standing) +
                          ", so there is nothing to prove yet"));
  }
  std::fflush(stdout);
}

/// A job whose every step is done can be proven, by the file as it is now.
bool can_be_verified(const FolderEntry& entry) {
  return entry.standing == JobStanding::kApplied || entry.standing == JobStanding::kChanged;
}

void tell_take_back(const Arguments& arguments, const std::vector<FiledJob>& jobs, const std::string& stays) {
  if (arguments.json) {
    Json names = Json::array();
    for (const auto& filed : jobs) names.push_back({{"job", filed.job.name}, {"file", filed.file}});
    print_line(json_line({{"type", "folder_rollback"}, {"to", stays}, {"jobs", names}}));
    std::fflush(stdout);
  } else if (!arguments.quiet) {
    for (const auto& line : take_back_lines(jobs, stays)) std::fprintf(stderr, "%s\n", line.c_str());
  }
}

/// What each job loses, for the operator to confirm.
std::vector<std::string> notice_of(Engine& engine, const std::vector<FiledJob>& jobs) {
  std::vector<std::string> lines;
  for (const auto& filed : jobs) {
    for (const auto& line : engine.rollback_notice(filed.job)) lines.push_back(filed.job.name + ": " + line);
  }
  return lines;
}

/// Which jobs are undone, and which are not, when one of them fails.
std::string standing_text(const std::vector<FiledJob>& jobs, std::size_t at) {
  std::string text;
  for (std::size_t i = 0; i < jobs.size(); ++i)
    text += (i > 0 ? "\n  " : "  ") + jobs[i].file + (i < at ? ": taken back" : ": not taken back");
  return text;
}

}  // namespace

ExitCode verify_folder(const Arguments& arguments) {
  ExitCode code = ExitCode::kDone;
  const auto all = load_jobs({arguments.job}, arguments);
  for (const auto& database : by_database(all, arguments)) {
    const auto folder = Engine(database.dsn).folder_status(database.jobs);
    for (std::size_t i = 0; i < database.jobs.size(); ++i) {
      if (!can_be_verified(folder.jobs[i])) {
        tell_not_verified(arguments, folder.jobs[i]);
        continue;
      }
      const ExitCode one = verify(database.jobs[i].job, arguments);
      if (code == ExitCode::kDone) code = one;
    }
  }
  return code;
}

ExitCode rollback_folder(const Arguments& arguments) {
  if (arguments.last.empty()) {
    throw Error(ExitCode::kUsage, "a folder is rolled back to a job: --to is missing",
                "rollback FOLDER --to NAME, where NAME is the last job that stays");
  }
  const auto folder = load_folder_of_one_database(arguments);
  Engine engine(folder.dsn);
  const auto jobs = engine.folder_rollback(folder.jobs, arguments.last);
  tell_take_back(arguments, jobs, arguments.last);
  if (jobs.empty()) return ExitCode::kDone;
  confirm_environment(arguments, act_to_confirm("roll back", jobs, arguments),
                      [&] { return notice_of(engine, jobs); });
  ExitCode result = ExitCode::kDone;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    try {
      const ExitCode code = roll_back(jobs[i].job, arguments);
      if (code == ExitCode::kQuarantined) result = code;  // undone, but for rows that are named
      if (code == ExitCode::kDone || code == ExitCode::kQuarantined) continue;
      std::fprintf(stderr, "%s\n", standing_text(jobs, i).c_str());
      return code;
    } catch (const Error& error) {
      throw Error(error.code(), error.what() + ("\n" + standing_text(jobs, i)), error.hint());
    }
  }
  return result;
}

ExitCode adopt_folder(const Arguments& arguments) {
  const auto folder = load_folder_of_one_database(arguments);
  const auto adopted = Engine(folder.dsn).adopt(folder.jobs, arguments.last, arguments.reason);
  if (arguments.json) {
    print_line(json_line({{"type", "adopted"}, {"up_to", arguments.last}, {"jobs", adopted}}));
    return ExitCode::kDone;
  }
  for (const auto& name : adopted)
    print_line(plain_line("job \"" + name + "\" is noted as applied; nothing was run"));
  if (adopted.empty()) print_line("every job up to there is applied already");
  return ExitCode::kDone;
}

}  // namespace pgsluice::cli
