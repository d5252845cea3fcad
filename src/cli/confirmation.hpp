#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "pgsluice/folder.hpp"

namespace pgsluice::cli {

/// Whether the operator can be asked: stdin and stderr are terminals.
bool is_at_terminal();

/// True for "y" and "yes" in upper or lower case.
bool is_yes(const std::string& answer);

/// What an operator is asked to confirm because of the environment.
struct Act {
  std::string verb;                    // "run"
  std::vector<std::string> jobs;       // their names
  std::vector<std::string> databases;  // in words, without secrets
  std::string environment;
};

/// "This will run job \"fill\" on database \"app\" in environment \"production\"." Pure.
std::string act_sentence(const Act& act);

/// The act on the jobs that an operator has to confirm; nothing: there is none.
std::optional<Act> act_to_confirm(const std::string& verb, const std::vector<FiledJob>& jobs,
                                  const Arguments& arguments);

/// Asks for the act before everything else; an act of nothing is allowed. Throws Error(kRefused) for any
/// answer but yes, and where there is no terminal and no --yes.
void confirm_environment(const Arguments& arguments, const std::optional<Act>& act);

/// The same, and what the act does besides is told with it: one question.
void confirm_environment(const Arguments& arguments, const std::optional<Act>& act,
                         const std::function<std::vector<std::string>()>& notice);

/// Prints `notice` on stderr and asks whether to continue, unless --yes was given or there is no terminal. An
/// empty notice asks nothing: the act itself says why it cannot be done. Throws Error(kRefused) for any
/// answer but yes.
void confirm_act(const Arguments& arguments, const std::function<std::vector<std::string>()>& notice);

/// For what cannot be undone: throws Error(kRefused) if there is no terminal to ask on and --yes was not
/// given.
void require_word(const Arguments& arguments, const std::string& what);

}  // namespace pgsluice::cli
