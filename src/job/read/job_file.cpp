#include "job/read/job_file.hpp"

#include <toml++/toml.h>

#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "job/read/name.hpp"
#include "job/read/section.hpp"
#include "job/read/settings.hpp"
#include "job/read/suggestion.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::job {
namespace {

// A job file is written by a person: more than this is another file, or a device without end.
constexpr std::size_t kJobFileBytesMost = 4 << 20;

void read_name(Section& root, Job& job) {
  root.require("name",
               "the name is the job's identity in the database: write name = \"fill-email-verified\"");
  const auto name = root.text("name");
  if (!name) return;
  if (const auto refusal = check_name(*name)) root.refuse("name", *refusal);
  job.name = *name;
}

std::string step_label(const toml::table& table, std::size_t number) {
  const auto* name = table["name"].as_string();
  return "step " +
         (name == nullptr || name->get().empty() ? std::to_string(number) : "\"" + name->get() + "\"");
}

/// Remembers where each step's name stands, and reports the second use.
void check_unique(Section& section, std::map<std::string, Position>& names) {
  const toml::node* name = section.node("name");
  if (name == nullptr || !name->is_string()) return;
  const auto [first, is_new] = names.emplace(name->as_string()->get(), position_of(*name));
  if (is_new) return;
  section.refuse("name", {"is taken by the step in line " + std::to_string(first->second.line),
                          "give every step a name of its own"});
}

void read_steps(Section& root, Job& job, StepReader read_step) {
  if (!root.require("step", "a job has at least one [[step]]")) return;
  const toml::node* node = root.node("step");
  const auto* list = node->as_array();
  if (list == nullptr)
    return root.refuse_type(*node, "step", "a list of steps", "write [[step]] with two brackets");
  if (list->empty()) return root.refuse("step", {"holds no step", "a job has at least one [[step]]"});
  std::map<std::string, Position> names;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto* table = (*list)[i].as_table();
    if (table == nullptr) {
      root.refuse_type((*list)[i], "step", "a list of steps", "write [[step]] with two brackets");
      continue;
    }
    const std::string label = step_label(*table, i + 1);
    Section section(*table, position_of(*table), label, label + ": ", root.diagnostics());
    if (auto step = read_step(section)) job.steps.push_back(std::move(*step));
    check_unique(section, names);
    section.finish();
  }
}

/// Whether somebody has to confirm what is done in this environment.
bool read_confirm(Section& overlay, const std::string& name) {
  const auto confirm = overlay.flag("confirm");
  if (name != kProduction) return confirm.value_or(false);
  if (!confirm.value_or(true)) {
    overlay.refuse("confirm", {"cannot be false: this environment always asks",
                               "leave it out, or give the environment another name"});
  }
  return true;
}

/// Every overlay is checked by laying it over the job; the chosen one stays.
void read_overlays(Section& root, const std::string& chosen, Settings& settings) {
  const Settings plain = settings;
  auto environments = root.section("env");
  std::vector<std::string> known;
  bool found = false;
  for (const auto& entry : environments ? environments->entries() : std::vector<Section::Entry>{}) {
    known.push_back(entry.key);
    auto overlay = environments->section(entry.key);
    if (!overlay) continue;
    Settings laid = plain;
    read_settings(*overlay, laid);
    laid.job.environment = entry.key;
    laid.job.is_confirmed_first = read_confirm(*overlay, entry.key);
    for (const char* fixed : {"name", "step"}) {
      if (overlay->node(fixed) == nullptr) continue;
      overlay->refuse(fixed, {"cannot differ between environments",
                              "an environment may change settings, not what the job is"});
    }
    overlay->finish();
    if (entry.key != chosen) continue;
    settings = std::move(laid);
    found = true;
  }
  if (chosen.empty() || found) return;
  root.diagnostics().add(
      known.empty() ? Position{1, 1} : root.where("env"), "unknown environment \"" + chosen + "\"",
      known.empty() ? "the job file has no [env.NAME] section" : suggestion(chosen, known, "environments"));
}

Job read_document(const toml::table& document, const std::string& environment, StepReader read_step,
                  Diagnostics& diagnostics) {
  Section root(document, {1, 1}, "the job file", "", diagnostics);
  Settings settings;
  read_settings(root, settings);
  read_overlays(root, environment, settings);
  read_name(root, settings.job);
  read_steps(root, settings.job, read_step);
  root.finish();
  return std::move(settings.job);
}

std::string read_all(std::istream& in) {
  std::string text;
  char buffer[1 << 14];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (text.size() > kJobFileBytesMost) break;
  }
  return text;
}

}  // namespace

JobFile read_job(const JobText& source, const std::string& environment, StepReader read_step) {
  Diagnostics diagnostics(source.file);
  Job read;
  try {
    const toml::table document = toml::parse(std::string_view(source.text));
    read = read_document(document, environment, read_step, diagnostics);
  } catch (const toml::parse_error& error) {
    const auto begin = error.source().begin;
    diagnostics.add({static_cast<int>(begin.line), static_cast<int>(begin.column)},
                    "is not TOML: " + std::string(error.description()),
                    "text stands in double quotes; one key per line");
  }
  return {std::move(read), diagnostics.take()};
}

JobText read_text(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw Error(ExitCode::kJobFile, "job file \"" + path.string() + "\" is a folder", "name the file itself");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw Error(ExitCode::kJobFile, "job file \"" + path.string() + "\" cannot be read",
                "check the path and the file's permissions");
  }
  std::string text = read_all(in);
  if (in.bad())
    throw Error(ExitCode::kJobFile, "job file \"" + path.string() + "\" cannot be read to its end");
  if (text.size() > kJobFileBytesMost) {
    throw Error(ExitCode::kJobFile, "job file \"" + path.string() + "\" is larger than 4 MB",
                "is it the right file?");
  }
  return {std::move(text), path.string()};
}

}  // namespace pgsluice::job
