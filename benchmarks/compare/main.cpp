// The same change by pgsluice, by hand and as other tools send it, side by side on private servers.

#include <algorithm>
#include <iostream>
#include <stdexcept>

#include "compare/comparison.hpp"
#include "compare/goals.hpp"
#include "compare/section.hpp"
#include "measure/machine.hpp"
#include "measure/tables_out.hpp"

namespace pgsluice::bench {
namespace {

constexpr const char* kUsage =
    R"(usage: pgsluice_compare [--quick] [--only CASE]… [--arm PART]… [--repeat N] [--seed N] [--out FILE]
       pgsluice_compare --sweep …
       pgsluice_compare --list

  --quick      a fifth of the rows, fewer arms and rounds, no 10 M rows: some minutes
  --only CASE  this case; may be repeated
  --arm PART   arms whose name holds PART, of this case or another; may be repeated. Ratios need "one UPDATE"
  --repeat N   rounds of each case
  --seed N     order of the trials, as an earlier run printed it
  --out FILE   write the tables there too, as markdown
  --sweep      instead of the cases: passes, windows and their size of the interleaved walk. Needs a build
               with -DPGSLUICE_FAILPOINTS=ON
  --list       names of the cases and of their arms
)";

CompareOptions parse(const std::vector<std::string>& words) {
  CompareOptions options;
  options.seed = std::random_device{}();
  FlagReader reader(words);
  while (reader.next()) {
    if (read_option(reader, options)) continue;
    if (reader.flag() == "--sweep") {
      options.is_sweep = true;
    } else if (reader.flag() == "--arm") {
      options.arms.push_back(reader.value());
    } else {
      reader.refuse();
    }
  }
  return options;
}

void check(const CompareOptions& options, const std::vector<Case>& cases) {
#ifndef PGSLUICE_FAILPOINTS
  if (options.is_sweep)
    throw std::invalid_argument("--sweep needs a build with failpoints: cmake … -DPGSLUICE_FAILPOINTS=ON");
#endif
  for (const auto& name : options.only) {
    if (std::none_of(cases.begin(), cases.end(), [&](const Case& c) { return c.name == name; }))
      throw std::invalid_argument("no case \"" + name + "\": --list names them");
  }
}

bool is_wanted(const Case& c, const CompareOptions& options) {
  if (!options.only.empty()) return options.is_wanted(c.name);
  return !options.quick || c.is_quick;
}

std::string heading(const CompareOptions& options) {
  BenchServer server(options);
  auto db = server.server().connect();
  return machine_text(db) + ". Order of trials: seed " + std::to_string(options.seed) +
         (options.quick ? ". Quick: a fifth of the rows.\n" : ".\n");
}

void list(const std::vector<Case>& cases) {
  for (const auto& c : cases) {
    std::cout << c.name << ": " << c.title << "\n";
    for (const auto& arm : c.arms)
      std::cout << "    " << arm.name << (arm.is_quick ? "" : " (not quick)") << "\n";
  }
}

void run(const CompareOptions& options, const std::vector<Case>& cases) {
  TablesOut out(options.out);
  out.write(heading(options));
  Results results;
  for (const auto& c : cases) {
    if (!is_wanted(c, options)) continue;
    std::mt19937_64 random(options.seed);  // of its own, so that --only repeats the order
    results[c.name] = compare(c, options, random);
    out.write(section(c, options.table_rows(c), wanted_arms(c, options), results[c.name]));
  }
  if (!options.is_sweep) out.write(goals_section(results));
}

int main_of(const std::vector<std::string>& words) try {
  const auto options = parse(words);
  const auto cases = options.is_sweep ? sweep_cases() : all_cases();
  check(options, cases);
  if (options.help) {
    std::cout << kUsage;
  } else if (options.list) {
    list(cases);
  } else {
    run(options, cases);
  }
  return 0;
} catch (const std::invalid_argument& mistake) {
  std::cerr << "pgsluice_compare: " << mistake.what() << "\n" << kUsage;
  return 2;
} catch (const std::exception& error) {
  std::cerr << "pgsluice_compare: " << error.what() << "\n";
  return 1;
}

}  // namespace
}  // namespace pgsluice::bench

int main(int argc, char** argv) {
  return pgsluice::bench::main_of({argv + 1, argv + argc});
}
