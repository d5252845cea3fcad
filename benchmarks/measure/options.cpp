#include "measure/options.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>

namespace pgsluice::bench {

bool Options::is_wanted(const std::string& case_name) const {
  return only.empty() || std::find(only.begin(), only.end(), case_name) != only.end();
}

bool FlagReader::next() {
  if (has_begun_) ++at_;
  has_begun_ = true;
  return at_ < words_.size();
}

std::string FlagReader::value() {
  if (at_ + 1 >= words_.size()) throw std::invalid_argument(flag() + " needs a value");
  return words_[++at_];
}

std::uint64_t FlagReader::positive() {
  const auto name = flag();
  const auto text = value();
  const bool is_number =
      !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number || std::stoull(text) == 0)
    throw std::invalid_argument(name + " needs a number from 1 on, not \"" + text + "\"");
  return std::stoull(text);
}

void FlagReader::refuse() const {
  throw std::invalid_argument("unknown argument \"" + flag() + "\"");
}

bool read_option(FlagReader& reader, Options& options) {
  const auto& flag = reader.flag();
  if (flag == "--quick") {
    options.quick = true;
  } else if (flag == "--list") {
    options.list = true;
  } else if (flag == "--help" || flag == "-h") {
    options.help = true;
  } else if (flag == "--only") {
    options.only.push_back(reader.value());
  } else if (flag == "--repeat") {
    options.repeat = static_cast<int>(reader.positive());
  } else if (flag == "--seed") {
    options.seed = reader.positive();
  } else if (flag == "--out") {
    options.out = reader.value();
  } else {
    return false;
  }
  return true;
}

Options parse_options(const std::vector<std::string>& words) {
  Options options;
  options.seed = std::random_device{}();
  FlagReader reader(words);
  while (reader.next()) {
    if (!read_option(reader, options)) reader.refuse();
  }
  return options;
}

}  // namespace pgsluice::bench
