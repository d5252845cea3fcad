#include "engine/folder/folder_look.hpp"

#include <algorithm>
#include <map>

#include "engine/folder/other_versions.hpp"
#include "engine/folder/standing.hpp"
#include "kinds/definition_change/job_definition.hpp"
#include "ledger/definitions.hpp"
#include "ledger/overview.hpp"
#include "ledger/schema.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

using Steps = std::vector<ledger::StepDefinition>;

/// What the ledger knows, read once.
struct Known {
  std::map<std::string, ledger::KnownJob> definitions;
  std::vector<JobOverview> jobs;
};

void require_format(pg::Session& session) {
  const int version = ledger::installed_version(session);
  if (version == ledger::kSchemaVersion) return;
  throw Error(ExitCode::kRefused,
              "the ledger in schema \"pgsluice\" has version " + std::to_string(version) +
                  ", and a folder needs version " + std::to_string(ledger::kSchemaVersion),
              version < ledger::kSchemaVersion ? "the next run of any job upgrades it"
                                               : "use the newer version of pgsluice that wrote it");
}

Known read_ledger(pg::Session& session) {
  if (!ledger::is_installed(session)) return {};
  require_format(session);
  return {ledger::known_jobs(session), ledger::read_overview(session, "")};
}

bool is_equal(const Steps& one, const Steps& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](const auto& a, const auto& b) {
    return a.name == b.name && a.kind == b.kind && a.lines == b.lines;
  });
}

FileChange read_change(pg::Session& session, const Job& job, const ledger::KnownJob& known) {
  const auto given = definition_of(job).steps;
  if (is_equal(known.steps, given)) return {};
  return file_change(read_definition_change(session, job, known.job_id), known.steps, given);
}

}  // namespace

FolderOverview look_at_folder(pg::Session& session, const std::vector<FiledJob>& jobs) {
  auto known = read_ledger(session);
  std::map<std::string, const JobOverview*> overviews;
  for (const auto& job : known.jobs) overviews.emplace(job.name, &job);
  FolderOverview folder;
  for (const auto& filed : jobs) {
    const auto found = overviews.find(filed.job.name);
    const auto definition = known.definitions.find(filed.job.name);
    const bool is_known = found != overviews.end();
    FileChange change;
    if (is_known && definition != known.definitions.end())
      change = read_change(session, filed.job, definition->second);
    auto entry = judge(is_known ? found->second : nullptr, change);
    entry.file = filed.file;
    entry.job = filed.job.name;
    folder.jobs.push_back(std::move(entry));
    if (is_known) overviews.erase(found);
  }
  for (auto& job : known.jobs) {
    if (overviews.contains(job.name)) folder.not_in_folder.push_back(std::move(job));
  }
  folder.others = read_other_versions(session);
  return folder;
}

}  // namespace pgsluice::engine
