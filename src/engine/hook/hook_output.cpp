#include "engine/hook/hook_output.hpp"

#include <algorithm>
#include <sstream>

#include "base/password_blot.hpp"
#include "report/text/clean_text.hpp"

namespace pgsluice::engine {
namespace {

// Kept as it comes: much more than the log takes, because passwords are looked for before it is cut.
constexpr std::size_t kBytesKept = 4 * kHookOutputMost;
constexpr char kBlot = 'x';

void blot_one(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + secret.size()))
    text.replace(at, secret.size(), secret.size(), kBlot);
}

/// Keeps its length.
std::string blotted(std::string text, std::vector<std::string> secrets) {
  // Longest first, or one that begins another would leave the rest of that.
  std::sort(secrets.begin(), secrets.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  for (const auto& secret : secrets) blot_one(text, secret);
  return text;
}

/// The beginning of a cut text may be the rest of a secret, which is not recognised: it is left out.
std::string without_torn_secret(const OutputTail& tail, const std::vector<std::string>& secrets) {
  auto text = blotted(tail.bytes(), secrets);
  if (!tail.is_cut()) return text;
  std::size_t longest = 0;
  for (const auto& secret : secrets) longest = std::max(longest, secret.size());
  return text.substr(std::min(longest, text.size()));
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
  return base::without_passwords(blotted(std::move(text), secrets));
}

std::string plain_output(const OutputTail& tail, const std::vector<std::string>& secrets) {
  std::istringstream in(without_torn_secret(tail, secrets));
  std::string plain;
  for (std::string line; std::getline(in, line);) {
    const auto clean = report::clean_line(base::without_passwords(line));
    if (!clean.empty()) plain += (plain.empty() ? "" : "\n") + clean;
  }
  return end_of(plain, kHookOutputMost);
}

std::string last_line(const std::string& output) {
  const auto end = output.rfind('\n');
  return end == std::string::npos ? output : output.substr(end + 1);
}

std::string hook_failure(const event::Hook& hook) {
  if (hook.exit_code == 0) return {};
  const auto how =
      hook.exit_code < 0 ? "failed: " + hook.ended : "exited with " + std::to_string(hook.exit_code);
  const auto said = last_line(hook.output);
  return "the command `" + hook.hook + "` " + how + (said.empty() ? "" : ": " + said);
}

}  // namespace pgsluice::engine
