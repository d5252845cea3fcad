#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "pgsluice/event.hpp"

namespace pgsluice::engine {

/// How much of a command's output the event log keeps: the end tells why it failed, and a log is no archive.
constexpr std::size_t kHookOutputMost = 4'096;  // bytes

/// The end of what a command writes, whatever it writes. Not thread-safe.
class OutputTail {
 public:
  void add(std::string_view bytes);

  const std::string& bytes() const { return bytes_; }
  /// Its beginning is missing.
  bool is_cut() const { return is_cut_; }

 private:
  std::string bytes_;
  bool is_cut_ = false;
};

/// The text with x in place of each character of a password: of the secrets, wherever they stand, and of what
/// looks like one in a connection string. Pure.
std::string without_secrets(std::string text, const std::vector<std::string>& secrets);

/// At most the last kHookOutputMost bytes, in lines without control characters and without passwords. Pure.
std::string plain_output(const OutputTail& tail, const std::vector<std::string>& secrets);

/// The last line; empty if there is none. Pure.
std::string last_line(const std::string& output);

/// Why a command did not do what it should, for a message: "the command `before` exited with 3: no such
/// host". Empty: it exited with 0. Pure.
std::string hook_failure(const event::Hook& hook);

}  // namespace pgsluice::engine
