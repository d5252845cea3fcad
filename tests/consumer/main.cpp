// Goal: the engine can be embedded. Reads a job, and asks for its plan where no server is.
#include <iostream>

#include "pgsluice/engine.hpp"
#include "pgsluice/job_file.hpp"

int main() {
  const auto file = pgsluice::parse_job(
      "name = \"embedded\"\n[[step]]\nkind = \"verify\"\nname = \"one\"\nquery = \"SELECT 1\"\nexpect = "
      "\"1\"\n",
      "job.toml", "");
  if (!file.ok()) return 1;
  try {
    pgsluice::Engine("host=/nowhere connect_timeout=1").plan(file.job);
    return 1;
  } catch (const pgsluice::Error& error) {
    std::cout << error.what() << "\n";
    return error.code() == pgsluice::ExitCode::kUnreachable ? 0 : 1;
  }
}
