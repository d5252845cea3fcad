// What pgsluice costs a real server: starts private ones, runs the program of this build, prints medians and
// spread.

#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <stdexcept>

#include "end_to_end/cases.hpp"
#include "measure/bench_server.hpp"
#include "measure/machine.hpp"
#include "measure/options.hpp"
#include "measure/tables_out.hpp"

namespace pgsluice::bench {
namespace {

struct Case {
  const char* name;
  std::string (*run)(const Options&, std::mt19937_64&);
};

constexpr std::array kCases{
    Case{"one-update", case_one_update},
    Case{"no-growth", case_no_growth},
    Case{"footprint", case_footprint},
    Case{"checkpoint-wal", case_checkpoint_wal},
    Case{"resume", case_resume},
    Case{"traffic", case_traffic},
    Case{"purge", case_purge},
    Case{"retype-fill", case_retype_fill},
    Case{"retype-cutover", case_retype_cutover},
    Case{"retype-graph", case_retype_graph},
};

constexpr const char* kUsage =
    R"(usage: pgsluice_end_to_end [--quick] [--only NAME]… [--repeat N] [--seed N] [--out FILE]
       pgsluice_end_to_end --list

  --quick       a tenth of the rows and fewer trials: some minutes
  --only NAME   this case; may be repeated
  --repeat N    trials of each arm
  --seed N      order of the trials, as an earlier run printed it
  --out FILE    write the tables there too, as markdown
  --list        names of the cases
)";

void check_names(const Options& options) {
  for (const auto& name : options.only) {
    if (std::none_of(kCases.begin(), kCases.end(), [&](const Case& c) { return name == c.name; })) {
      throw std::invalid_argument("no case \"" + name + "\": --list names them");
    }
  }
}

std::string heading(const Options& options) {
  BenchServer server(options);
  auto db = server.server().connect();
  return machine_text(db) + ". Order of trials: seed " + std::to_string(options.seed) +
         (options.quick ? ". Quick: a tenth of the rows.\n" : ".\n");
}

void run(const Options& options) {
  TablesOut out(options.out);
  out.write(heading(options));
  for (const auto& c : kCases) {
    std::mt19937_64 random(options.seed);  // of its own, so that --only repeats the order
    if (options.is_wanted(c.name)) out.write(c.run(options, random));
  }
}

int main_of(const std::vector<std::string>& words) try {
  const auto options = parse_options(words);
  check_names(options);
  if (options.help) {
    std::cout << kUsage;
  } else if (options.list) {
    for (const auto& c : kCases) std::cout << c.name << "\n";
  } else {
    run(options);
  }
  return 0;
} catch (const std::invalid_argument& mistake) {
  std::cerr << "pgsluice_end_to_end: " << mistake.what() << "\n" << kUsage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "pgsluice_end_to_end: " << error.what() << "\n";
  return 1;
}

}  // namespace
}  // namespace pgsluice::bench

int main(int argc, char** argv) {
  return pgsluice::bench::main_of({argv + 1, argv + argc});
}
