#include <map>

#include "job/sql/meaning.hpp"
#include "pgsluice/folder.hpp"

namespace pgsluice {
namespace {

/// What all steps of a job do, by name and meaning.
std::vector<std::string> meaning_of_steps(const Job& job) {
  std::vector<std::string> all;
  for (const auto& step : job.steps) {
    all.push_back(step.kind() + " " + step.name());
    for (auto& line : job::meaning_of(step_definition(step))) all.push_back(std::move(line));
  }
  return all;
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

}  // namespace

std::vector<std::string> find_twins(const std::vector<FiledJob>& jobs) {
  std::vector<std::string> found;
  std::map<std::string, const FiledJob*> by_name;
  std::map<std::vector<std::string>, const FiledJob*> by_steps;
  for (const auto& filed : jobs) {
    const auto [name, is_new_name] = by_name.emplace(filed.job.name, &filed);
    if (!is_new_name) {
      found.push_back("job name " + quoted(filed.job.name) +
                      " is in two files: " + quoted(name->second->file) + " and " + quoted(filed.file));
      continue;
    }
    const auto [steps, are_new_steps] = by_steps.emplace(meaning_of_steps(filed.job), &filed);
    if (are_new_steps) continue;
    const auto& other = *steps->second;
    found.push_back("the same steps are in two files: " + quoted(other.file) + " (job " +
                    quoted(other.job.name) + ") and " + quoted(filed.file) + " (job " +
                    quoted(filed.job.name) + ")");
  }
  return found;
}

}  // namespace pgsluice
