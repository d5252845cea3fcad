#include "cli/results/folder_text.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>

#include "cli/results/plain_text.hpp"
#include "cli/results/status_text.hpp"
#include "cli/results/table.hpp"

namespace pgsluice::cli {
namespace {

using base::Json;
using Lines = std::vector<std::string>;

std::string file_name(const std::string& file) {
  return std::filesystem::path(file).filename().string();
}

/// When the job came to stand where it does; empty while it does not stand.
std::string since(const FolderEntry& entry) {
  return entry.known ? entry.known->ended_at : "";
}

void add_differences(Lines& lines, const FolderOverview& folder) {
  for (const auto& entry : folder.jobs) {
    if (entry.difference.empty()) continue;
    lines.push_back(plain_line(file_name(entry.file) + ": not as the ledger has it (- ledger, + file)"));
    for (const auto& difference : entry.difference) {
      for (const auto& line : plain_lines(difference)) lines.push_back("  " + line);
    }
  }
}

void add_unknown(Lines& lines, const FolderOverview& folder) {
  if (folder.not_in_folder.empty()) return;
  lines.emplace_back("in the ledger, but not in the folder:");
  for (const auto& job : folder.not_in_folder)
    lines.push_back("  " + plain_line(job.name + ": " + state_text(job)));
}

void add_others(Lines& lines, const FolderOverview& folder) {
  for (const auto& other : folder.others) {
    const std::string version = other.version.empty() ? "no version" : "version " + other.version;
    lines.push_back(plain_line(other.tool + " (" + other.table + "): " + version +
                               (other.remark.empty() ? "" : ", " + other.remark)));
  }
}

/// "297 applied, 2 pending"
std::string counts_text(const FolderOverview& folder) {
  std::string text;
  for (const auto& [standing, name] : kStandings) {
    const auto count =
        std::count_if(folder.jobs.begin(), folder.jobs.end(),
                      [s = standing](const FolderEntry& entry) { return entry.standing == s; });
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  }
  return text;
}

}  // namespace

std::vector<std::string> folder_lines(const FolderOverview& folder) {
  Table table({"FILE", "JOB", "STATE", "SINCE", "REASON"}, {});
  for (const auto& entry : folder.jobs) {
    table.add({file_name(entry.file), entry.job, name_of(entry.standing), since(entry), entry.reason});
  }
  auto lines = table.lines("");
  add_differences(lines, folder);
  add_unknown(lines, folder);
  add_others(lines, folder);
  lines.push_back(counts_text(folder));
  return lines;
}

Json folder_json(const std::string& path, const FolderOverview& folder) {
  Json jobs = Json::array();
  for (const auto& entry : folder.jobs) {
    jobs.push_back({{"file", entry.file},
                    {"name", entry.job},
                    {"state", name_of(entry.standing)},
                    {"since", since(entry)},
                    {"reason", entry.reason},
                    {"difference", entry.difference}});
  }
  Json unknown = Json::array();
  for (const auto& job : folder.not_in_folder)
    unknown.push_back({{"name", job.name}, {"state", state_text(job)}, {"since", job.ended_at}});
  Json others = Json::array();
  for (const auto& other : folder.others) {
    others.push_back(
        {{"tool", other.tool}, {"table", other.table}, {"version", other.version}, {"remark", other.remark}});
  }
  return {{"type", "folder_status"},
          {"folder", path},
          {"jobs", jobs},
          {"not_in_folder", unknown},
          {"other_tools", others}};
}

std::vector<std::string> take_back_lines(const std::vector<FiledJob>& jobs, const std::string& stays) {
  if (jobs.empty()) return {plain_line("nothing behind job \"" + stays + "\" has to be taken back")};
  const std::string count = std::to_string(jobs.size()) + (jobs.size() == 1 ? " job" : " jobs");
  Lines lines = {plain_line("taking back " + count + ", last one first; job \"" + stays + "\" stays")};
  for (const auto& filed : jobs)
    lines.push_back("  " + plain_line(file_name(filed.file) + ": job \"" + filed.job.name + "\""));
  return lines;
}

}  // namespace pgsluice::cli
