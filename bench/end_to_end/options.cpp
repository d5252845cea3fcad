#include "end_to_end/options.hpp"

#include <random>
#include <stdexcept>

namespace pgsluice::bench {
namespace {

/// A whole number from 1 on.
std::uint64_t positive(const std::string& flag, const std::string& text) {
  const bool is_number =
      !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number || std::stoull(text) == 0)
    throw std::invalid_argument(flag + " needs a number from 1 on, not \"" + text + "\"");
  return std::stoull(text);
}

}  // namespace

const char* const kUsage =
    R"(usage: pgsluice_bench [--quick] [--only NAME]… [--repeat N] [--seed N] [--out FILE]
       pgsluice_bench --list

  --quick       a tenth of the rows and fewer trials: some minutes
  --only NAME   this case; may be repeated
  --repeat N    trials of each arm
  --seed N      order of the trials, as an earlier run printed it
  --out FILE    write the tables there too, as markdown
  --list        names of the cases
)";

Options parse_options(const std::vector<std::string>& words) {
  Options options;
  options.seed = std::random_device{}();
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& flag = words[i];
    const auto value = [&] {
      if (i + 1 == words.size()) throw std::invalid_argument(flag + " needs a value");
      return words[++i];
    };
    if (flag == "--quick") {
      options.quick = true;
    } else if (flag == "--list") {
      options.list = true;
    } else if (flag == "--help" || flag == "-h") {
      options.help = true;
    } else if (flag == "--only") {
      options.only.push_back(value());
    } else if (flag == "--repeat") {
      options.repeat = static_cast<int>(positive(flag, value()));
    } else if (flag == "--seed") {
      options.seed = positive(flag, value());
    } else if (flag == "--out") {
      options.out = value();
    } else {
      throw std::invalid_argument("unknown argument \"" + flag + "\"");
    }
  }
  return options;
}

}  // namespace pgsluice::bench
