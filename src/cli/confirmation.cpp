#include "cli/confirmation.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iostream>

#include "cli/job_source.hpp"
#include "cli/results/plain_text.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::cli {

bool is_at_terminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool is_yes(const std::string& answer) {
  std::string word;
  for (const char c : answer) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0)
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return word == "y" || word == "yes";
}

void confirm_act(const Arguments& arguments, const std::function<std::vector<std::string>()>& notice) {
  if (arguments.is_yes_said || !is_at_terminal()) return;
  const auto lines = notice();
  if (lines.empty()) return;
  for (const auto& line : lines) std::fprintf(stderr, "%s\n", plain_line(line).c_str());
  std::fputs("Continue? [y/N] ", stderr);
  std::string answer;
  std::getline(std::cin, answer);
  if (!is_yes(answer))
    throw Error(ExitCode::kRefused, "nothing was done: the answer was not yes", "--yes skips the question");
}

std::string act_sentence(const Act& act) {
  std::string text = "This will " + act.verb;
  if (act.jobs.size() > 1) text += " " + std::to_string(act.jobs.size()) + " jobs,";
  for (std::size_t i = 0; i < act.jobs.size(); ++i)
    text += (i > 0 ? ", " : act.jobs.size() > 1 ? " " : " job ") + ("\"" + act.jobs[i] + "\"");
  if (act.jobs.size() > 1) text += ",";
  for (std::size_t i = 0; i < act.databases.size(); ++i)
    text += (i > 0 ? " and " : " on ") + act.databases[i];
  return text + " in environment \"" + act.environment + "\".";
}

std::optional<Act> act_to_confirm(const std::string& verb, const std::vector<FiledJob>& jobs,
                                  const Arguments& arguments) {
  Act act{verb, {}, {}, arguments.environment};
  for (const auto& filed : jobs) {
    if (!is_confirmed_first(filed.job, arguments)) continue;
    act.jobs.push_back(filed.job.name);
    const auto database = Engine(choose_dsn(arguments.dsn, filed.job.dsn)).target();
    if (std::find(act.databases.begin(), act.databases.end(), database) == act.databases.end())
      act.databases.push_back(database);
  }
  if (act.jobs.empty()) return std::nullopt;
  return act;
}

void confirm_environment(const Arguments& arguments, const std::optional<Act>& act) {
  if (act) confirm_environment(arguments, act, [] { return std::vector<std::string>{}; });
}

void confirm_environment(const Arguments& arguments, const std::optional<Act>& act,
                         const std::function<std::vector<std::string>()>& notice) {
  if (!act) return confirm_act(arguments, notice);
  if (!arguments.is_yes_said && !is_at_terminal())
    throw Error(ExitCode::kRefused,
                "environment \"" + act->environment + "\" wants a confirmation before " + act->verb +
                    ", and there is no terminal on stdin and stderr to ask for it",
                "add --yes to confirm");
  confirm_act(arguments, [&] {
    std::vector<std::string> lines{act_sentence(*act)};
    const auto more = notice();
    lines.insert(lines.end(), more.begin(), more.end());
    return lines;
  });
}

void require_word(const Arguments& arguments, const std::string& what) {
  if (arguments.is_yes_said || is_at_terminal()) return;
  throw Error(
      ExitCode::kRefused,
      what + " cannot be undone, and there is no terminal on stdin and stderr to ask for confirmation",
      "add --yes to confirm");
}

}  // namespace pgsluice::cli
