#pragma once

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "job/sql/refusal.hpp"
#include "pgsluice/job_file.hpp"

namespace pgsluice::job {

/// A job file that is right, with `text` after its name: tests add what they are about.
inline JobFile parse(const std::string& text, const std::string& environment = {}) {
  return parse_job(text, "job.toml", environment);
}

/// Every diagnostic as "line:column message | hint", one a line.
inline std::string mistakes(const JobFile& file) {
  std::string text;
  for (const Diagnostic& found : file.diagnostics) {
    text += std::to_string(found.line) + ":" + std::to_string(found.column) + " " + found.message + " | " +
            found.hint + "\n";
  }
  return text;
}

/// The message of a refusal; "accepted" for a value.
template <class Value>
std::string refusal_of(const std::variant<Value, Refusal>& checked) {
  const auto* refusal = std::get_if<Refusal>(&checked);
  return refusal == nullptr ? "accepted" : refusal->message;
}

}  // namespace pgsluice::job
