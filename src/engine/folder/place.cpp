#include "engine/folder/place.hpp"

#include <algorithm>
#include <filesystem>

#include "pgsluice/error.hpp"

namespace pgsluice::engine {

std::size_t place_in_folder(const std::vector<FiledJob>& jobs, const std::string& name) {
  const auto find = [&](auto is_it) {
    return static_cast<std::size_t>(std::find_if(jobs.begin(), jobs.end(), is_it) - jobs.begin());
  };
  // A job's own name wins over a file that happens to be called so.
  const auto by_name = find([&](const FiledJob& filed) { return filed.job.name == name; });
  if (by_name < jobs.size()) return by_name;
  const auto by_file = find([&](const FiledJob& filed) {
    return filed.file == name || std::filesystem::path(filed.file).filename() == name;
  });
  if (by_file < jobs.size()) return by_file;
  throw Error(ExitCode::kNoSuchJob, "the folder has no job \"" + name + "\"",
              "pgsluice status FOLDER lists its jobs");
}

}  // namespace pgsluice::engine
