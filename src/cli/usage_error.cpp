#include "cli/usage_error.hpp"

#include <string>
#include <vector>

#include "base/password_blot.hpp"
#include "cli/results/near_word.hpp"

namespace pgsluice::cli {
namespace {

/// The verb that was recognised, else the program.
const CLI::App& innermost(const CLI::App& app) {
  const auto verbs = app.get_subcommands();
  return verbs.empty() ? app : *verbs.front();
}

std::vector<std::string> known_flags(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level : {&innermost(app), &app}) {
    for (const auto* option : level->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> known_verbs(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

Error unknown_word(const CLI::App& app, const std::string& extra) {
  const bool is_flag = extra.size() > 1 && extra.front() == '-';
  const bool is_verb = !is_flag && app.get_subcommands().empty();
  const std::string word = is_flag ? extra.substr(0, extra.find('=')) : base::without_passwords(extra);
  const std::string near = near_word(word, is_flag   ? known_flags(app)
                                           : is_verb ? known_verbs(app)
                                                     : std::vector<std::string>{});
  const std::string what = is_flag   ? "unknown flag \""
                           : is_verb ? "unknown verb \""
                                     : "unexpected argument \"";
  return Error(ExitCode::kUsage, what + word + "\"",
               near.empty() ? help_hint(app) : "did you mean \"" + near + "\"?");
}

/// What CLI11 says, in our words.
std::string message_of(const CLI::ParseError& mistake) {
  const std::string said = mistake.what();
  const std::string subject = said.substr(0, said.find(':'));
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&mistake)) return subject + " takes one value";
  if (dynamic_cast<const CLI::ConversionError*>(&mistake)) {
    return "cannot read" + said.substr(said.find(':') + 1) + " as a number";
  }
  return said;
}

}  // namespace

std::string help_hint(const CLI::App& app) {
  const auto& verb = innermost(app);
  return &verb == &app ? "pgsluice --help lists the verbs"
                       : "pgsluice " + verb.get_name() + " --help shows its arguments";
}

Error as_usage_error(const CLI::App& app, const CLI::ParseError& mistake) {
  const auto extras = app.remaining(true);
  if (!extras.empty()) return unknown_word(app, extras.front());
  const bool lacks_verb =
      app.get_subcommands().empty() && dynamic_cast<const CLI::RequiredError*>(&mistake) != nullptr;
  return Error(ExitCode::kUsage, lacks_verb ? "no verb given" : message_of(mistake), help_hint(app));
}

}  // namespace pgsluice::cli
