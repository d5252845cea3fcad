#include <cstddef>
#include <functional>
#include <optional>

#include "cli/commands.hpp"
#include "cli/job_source.hpp"
#include "cli/results/folder_text.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"
#include "cli/results/plan_text.hpp"

namespace pgsluice::cli {
namespace {

using base::Json;

/// What looking at one job of a folder has come to: for programs, or printed already.
struct Look {
  Json json;
  ExitCode code = ExitCode::kDone;
};

/// A later job may need what an earlier one has not made yet.
constexpr const char* kAfterPending =
    "an earlier job of the folder is not applied; it may make what is missing";

void say(const Arguments& arguments, const std::string& line) {
  if (!arguments.json) print_line(plain_line(line));
}

Look cannot_look(const Arguments& arguments, const FolderEntry& entry, const Error& error, bool is_first) {
  const std::string hint = is_first ? error.hint() : kAfterPending;
  say(arguments, entry.file + ": " + error.what());
  say(arguments, "  hint: " + hint);
  return {{{"file", entry.file},
           {"job", entry.job},
           {"error", {{"code", static_cast<int>(error.code())}, {"message", error.what()}, {"hint", hint}}}},
          error.code()};
}

Look applied(const Arguments& arguments, const FolderEntry& entry) {
  say(arguments, entry.file + ": job \"" + entry.job + "\" is applied, nothing is left to do");
  return {{{"file", entry.file}, {"job", entry.job}, {"state", name_of(entry.standing)}}, ExitCode::kDone};
}

using LookAt = std::function<Look(Engine&, const FiledJob&)>;

/// Looks at every job that is not applied. Returns how the first that could not go on ended.
ExitCode look_at_each(const Arguments& arguments, const char* type, const LookAt& look) {
  Json list = Json::array();
  ExitCode code = ExitCode::kDone;
  const auto all = load_jobs({arguments.job}, arguments);
  for (const auto& database : by_database(all, arguments)) {
    Engine engine(database.dsn);
    const auto folder = engine.folder_status(database.jobs);
    bool is_first = true;
    for (std::size_t i = 0; i < database.jobs.size(); ++i) {
      const auto& entry = folder.jobs[i];
      std::optional<Look> found;
      if (entry.standing == JobStanding::kApplied) {
        found = applied(arguments, entry);
      } else {
        try {
          found = look(engine, database.jobs[i]);
        } catch (const Error& error) {
          if (error.code() == ExitCode::kUnreachable) throw;
          found = cannot_look(arguments, entry, error, is_first);
        }
        is_first = false;
      }
      if (code == ExitCode::kDone) code = found->code;
      list.push_back(std::move(found->json));
    }
  }
  if (arguments.json) print_line(json_document({{"type", type}, {"folder", arguments.job}, {"jobs", list}}));
  return code;
}

}  // namespace

ExitCode plan_folder(const Arguments& arguments) {
  return look_at_each(arguments, "folder_plan", [&](Engine& engine, const FiledJob& filed) {
    const auto plan = engine.plan(filed.job);
    if (!arguments.json) {
      say(arguments, filed.file + ":");
      for (const auto& line : plan_lines(plan)) print_line(line);
      print_line("");
    }
    Json json = plan_json(plan);
    json["file"] = filed.file;
    return Look{json, ExitCode::kDone};
  });
}

ExitCode check_folder(const Arguments& arguments) {
  return look_at_each(arguments, "folder_check", [&](Engine& engine, const FiledJob& filed) {
    const auto findings = engine.check(filed.job);
    const auto code = static_cast<ExitCode>(exit_code_of(findings));
    say(arguments, filed.file + ": job \"" + filed.job.name +
                       "\": " + (code == ExitCode::kDone ? "ready to run" : "run would refuse"));
    if (!arguments.json) {
      for (const auto& line : finding_lines(findings)) print_line("  " + line);
    }
    Json json = findings_json(filed.job.name, findings);
    json["file"] = filed.file;
    return Look{json, code};
  });
}

ExitCode show_folder_status(const Arguments& arguments) {
  const auto all = load_jobs({arguments.name}, arguments);
  FolderOverview folder;
  for (const auto& database : by_database(all, arguments)) {
    auto part = Engine(database.dsn).folder_status(database.jobs);
    const auto add = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    add(folder.jobs, part.jobs);
    add(folder.not_in_folder, part.not_in_folder);
    add(folder.others, part.others);
  }
  if (arguments.json) {
    print_line(json_document(folder_json(arguments.name, folder)));
  } else {
    for (const auto& line : folder_lines(folder)) print_line(line);
  }
  return ExitCode::kDone;
}

}  // namespace pgsluice::cli
