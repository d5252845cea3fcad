#include "job/read/job_file.hpp"

#include "kinds/step_reader.hpp"

namespace pgsluice {

JobFile parse_job(const std::string& text, const std::string& file, const std::string& environment) {
  return job::read_job({text, file}, environment, engine::read_step);
}

JobFile load_job_file(const std::filesystem::path& path, const std::string& environment) {
  return job::read_job(job::read_text(path), environment, engine::read_step);
}

}  // namespace pgsluice
