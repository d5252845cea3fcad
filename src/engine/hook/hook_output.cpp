#include "engine/hook/hook_output.hpp"

#include <algorithm>
#include <sstream>

#include "base/password_blot.hpp"
#include "report/render/clean_text.hpp"

namespace pgsluice::engine {
namespace {

// Kept as it comes: much more than the log takes, because passwords are looked for before it is cut.
constexpr std::size_t kBytesKept = 4 * kHookOutputMost;
constexpr char kBlot = 'x';

void blot(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + secret.size()))
    text.replace(at, secret.size(), secret.size(), kBlot);
}

/// The beginning of a cut text may be the rest of a secret.
std::string without_torn_secret(const OutputTail& tail, const std::vector<std::string>& secrets) {
  if (!tail.is_cut()) return tail.bytes();
  std::size_t longest = 0;
  for (const auto& secret : secrets) longest = std::max(longest, secret.size());
  return tail.bytes().substr(std::min(longest, tail.bytes().size()));
}

bool is_inside_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::string end_of(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  auto at = text.size() - most;
  while (at < text.size() && is_inside_character(text[at])) ++at;
  return text.substr(at);
}

}  // namespace

void OutputTail::add(std::string_view bytes) {
  bytes_.append(bytes);
  if (bytes_.size() <= kBytesKept) return;
  bytes_.erase(0, bytes_.size() - kBytesKept);
  is_cut_ = true;
}

std::string without_secrets(std::string text, const std::vector<std::string>& secrets) {
  auto longest_first = secrets;  // or one that begins another would leave the rest of that
  std::sort(longest_first.begin(), longest_first.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  for (const auto& secret : longest_first) blot(text, secret);
  return base::without_passwords(std::move(text));
}

std::string plain_output(const OutputTail& tail, const std::vector<std::string>& secrets) {
  std::istringstream in(without_torn_secret(tail, secrets));
  std::string plain;
  for (std::string line; std::getline(in, line);) {
    const auto clean = report::clean_line(without_secrets(line, secrets));
    if (!clean.empty()) plain += (plain.empty() ? "" : "\n") + clean;
  }
  return end_of(plain, kHookOutputMost);
}

std::string last_line(const std::string& output) {
  const auto end = output.rfind('\n');
  return end == std::string::npos ? output : output.substr(end + 1);
}

}  // namespace pgsluice::engine
