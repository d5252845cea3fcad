#include <cstdio>
#include <fstream>
#include <memory>

#include "cli/commands.hpp"
#include "cli/job_source.hpp"
#include "cli/results/plain_text.hpp"
#include "pgsluice/bench.hpp"
#include "pgsluice/report.hpp"

namespace pgsluice::cli {
namespace {

/// A file that will be written at the end. Opened at once, so that a bad path fails now and not after five
/// minutes.
class LateFile {
 public:
  explicit LateFile(std::string name) : name_(std::move(name)) {
    if (name_.empty()) return;
    file_.open(name_);
    if (!file_) fail();
  }

  void write(const std::string& text) {
    if (name_.empty()) return;
    file_ << text << std::flush;
    if (!file_) fail();
  }
  bool is_wanted() const { return !name_.empty(); }

 private:
  [[noreturn]] void fail() const {
    throw Error(ExitCode::kUsage, "cannot write \"" + name_ + "\"", "check the folder and its permissions");
  }

  std::string name_;
  std::ofstream file_;
};

void tell(const std::string& line) {
  std::fprintf(stderr, "bench: %s\n", plain_line(line).c_str());
}

}  // namespace

ExitCode bench_job(const Arguments& arguments) {
  const Job job = load_job(arguments.job, arguments.environment);
  LateFile csv(arguments.csv);
  LateFile html(arguments.html);
  const std::function<void(const std::string&)> silent = [](const std::string&) {};
  const auto report = run_bench(choose_dsn(arguments.dsn, job.dsn), job, arguments.bench,
                                arguments.quiet ? silent : std::function<void(const std::string&)>(tell));
  if (arguments.json) {
    print_line(bench_json(report));
  } else {
    for (const auto& line : bench_lines(report, choose_color())) print_line(line);
  }
  if (csv.is_wanted()) csv.write(bench_csv(report));
  if (html.is_wanted()) html.write(bench_html(report));
  return report.ended_early.empty() ? ExitCode::kDone : ExitCode::kWorkLeft;
}

}  // namespace pgsluice::cli
